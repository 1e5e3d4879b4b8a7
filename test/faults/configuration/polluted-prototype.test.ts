import { expect, test } from 'vitest';
import { createCa } from '../../../local-rds/index.js';
import { runScript } from '../../support/child.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { usePostgres } from '../../support/servers.js';

useCleanEnvironment();
const ca = await createCa();
const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'] });
const server = usePostgres({ ssl: { cert: certPem, key: keyPem }, requireSsl: true });

test('a polluted Object.prototype changes neither the host, the TLS settings nor the user of a login', async () => {
  const { port, user, password, database } = server();
  const config = { host: 'localhost', port, user, password, database, sslMode: 'verify-full' };
  const script = new URL('../../support/scripts/polluted.ts', import.meta.url);
  const { lines, stderr } = await runScript(script, [JSON.stringify(config), ca.certPem]).result;
  expect(stderr).toBe('');
  expect(JSON.parse(lines.join('') || 'null')).toEqual([
    { rows: [{ user, database, ssl: true, name: '', memory: '4MB' }], max: 10 },
    // The certificate is valid for `localhost` only.
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ]);
});
