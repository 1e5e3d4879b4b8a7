import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createCa,
  type CertificateAuthority,
  type IssuedCertificate,
} from '../../../local-rds/certificates.js';
import {
  clientCertificate,
  createContext,
  readAhead,
  rootCertificates,
} from '../../../src/connection/certificates.js';
import { ConfigError } from '../../../src/errors.js';
import type { SslMode } from '../../../src/settings/ssl-mode.js';
import { sslSettings, type SslOptions } from '../../../src/settings/ssl-options.js';
import { encryptedKey } from '../../support/encrypted-key.js';

let folder: string;
let ca: CertificateAuthority;
let client: IssuedCertificate;
let other: IssuedCertificate;
const paths: Record<string, string> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgauge-certificates-'));
  ca = await createCa();
  client = await ca.issue({ commonName: 'client' });
  other = await ca.issue({ dnsNames: ['db.test'] });
  const files = {
    root: ca.certPem,
    cert: client.certPem,
    key: client.keyPem,
    encrypted: encryptedKey(client.keyPem, 'open'),
    garbage: 'canary-content',
    broken: `${ca.certPem}-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n`,
    empty: '',
  };
  for (const [name, content] of Object.entries(files)) {
    paths[name] = join(folder, name);
    await writeFile(join(folder, name), content);
  }
});

afterAll(() => rm(folder, { recursive: true }));

/** Reads and checks the certificates of a pool, then makes its SecureContext. */
async function use(mode: SslMode, given: SslOptions | undefined, env: NodeJS.ProcessEnv): Promise<void> {
  const ssl = sslSettings(given, mode);
  const read = await readAhead(ssl, env);
  const roots = rootCertificates(mode, ssl, env, read);
  const { material, source } = clientCertificate(ssl, env, read);
  createContext({ ...material, ...(roots && { ca: roots }) }, source);
}

describe('the certificates of a pool', () => {
  it.each<[string, SslMode, () => [SslOptions | undefined, NodeJS.ProcessEnv], () => string]>([
    [
      'a root file that is missing',
      'require',
      () => [undefined, { PGSSLROOTCERT: '/no/root' }],
      () => 'PGSSLROOTCERT (/no/root): cannot be read: ENOENT',
    ],
    [
      'a root file that is a folder',
      'verify-ca',
      () => [undefined, { PGSSLROOTCERT: folder }],
      () => `PGSSLROOTCERT (${folder}): cannot be read: EISDIR`,
    ],
    [
      'a root file without PEM',
      'require',
      () => [undefined, { PGSSLROOTCERT: paths['garbage'] }],
      () => `PGSSLROOTCERT (${paths['garbage']}): holds no PEM certificate`,
    ],
    [
      'an empty root file',
      'verify-full',
      () => [undefined, { PGSSLROOTCERT: paths['empty'] }],
      () => `PGSSLROOTCERT (${paths['empty']}): holds no PEM certificate`,
    ],
    [
      'a root file with a broken certificate',
      'require',
      () => [undefined, { PGSSLROOTCERT: paths['broken'] }],
      () => `PGSSLROOTCERT (${paths['broken']}): certificate 2 cannot be parsed`,
    ],
    ['ssl.ca without PEM', 'require', () => [{ ca: 'canary' }, {}], () => 'ssl.ca: holds no PEM certificate'],
    ['an empty list as ssl.ca', 'require', () => [{ ca: [] }, {}], () => 'ssl.ca: holds no PEM certificate'],
    [
      'one of several ssl.ca without PEM',
      'require',
      () => [{ ca: [ca.certPem, 'canary'] }, {}],
      () => 'ssl.ca: holds no PEM certificate',
    ],
    [
      'system roots with a mode that checks no name',
      'verify-ca',
      () => [undefined, { PGSSLROOTCERT: 'system' }],
      () => 'PGSSLROOTCERT is system, which sslMode verify-ca is too weak for: use verify-full',
    ],
    [
      'system roots with require',
      'require',
      () => [undefined, { PGSSLROOTCERT: 'system' }],
      () => 'PGSSLROOTCERT is system, which sslMode require is too weak for: use verify-full',
    ],
    [
      'a client certificate without key',
      'require',
      () => [undefined, { PGSSLCERT: paths['cert'] }],
      () => `PGSSLCERT (${paths['cert']}) is set but PGSSLKEY is not: both are needed`,
    ],
    [
      'a client key without certificate',
      'require',
      () => [undefined, { PGSSLKEY: paths['key'] }],
      () => `PGSSLKEY (${paths['key']}) is set but PGSSLCERT is not: both are needed`,
    ],
    [
      'a client certificate that is missing',
      'require',
      () => [undefined, { PGSSLCERT: '/no/cert', PGSSLKEY: paths['key'] }],
      () => 'PGSSLCERT (/no/cert): cannot be read: ENOENT',
    ],
    [
      'a client key that is missing',
      'require',
      () => [undefined, { PGSSLCERT: paths['cert'], PGSSLKEY: '/no/key' }],
      () => 'PGSSLKEY (/no/key): cannot be read: ENOENT',
    ],
    [
      'a client certificate without PEM',
      'require',
      () => [undefined, { PGSSLCERT: paths['garbage'], PGSSLKEY: paths['key'] }],
      () => `PGSSLCERT (${paths['garbage']}): holds no PEM certificate`,
    ],
    [
      'a client key without PEM',
      'require',
      () => [undefined, { PGSSLCERT: paths['cert'], PGSSLKEY: paths['garbage'] }],
      () => `PGSSLCERT (${paths['cert']}) and PGSSLKEY (${paths['garbage']}): cannot be used for TLS: `,
    ],
    [
      'an empty client key',
      'require',
      () => [undefined, { PGSSLCERT: paths['cert'], PGSSLKEY: paths['empty'] }],
      () => `PGSSLKEY (${paths['empty']}): is empty`,
    ],
    [
      'a key of another certificate',
      'require',
      () => [{ cert: client.certPem, key: other.keyPem }, {}],
      () => 'ssl.cert and ssl.key: cannot be used for TLS: ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    ],
    [
      'an encrypted key without its passphrase',
      'require',
      () => [undefined, { PGSSLCERT: paths['cert'], PGSSLKEY: paths['encrypted'] }],
      () => `PGSSLCERT (${paths['cert']}) and PGSSLKEY (${paths['encrypted']}): cannot be used for TLS: `,
    ],
  ])('are refused: %s', async (_title, mode, given, message) => {
    const error: unknown = await use(mode, ...given()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toContain(message());
    expect(inspect(error, { depth: 9 })).not.toMatch(/canary|PRIVATE KEY/);
  });

  it('come from the options rather than from the environment', () => {
    const ssl = sslSettings({ ca: ca.certPem, cert: client.certPem, key: client.keyPem }, 'require');
    const env = { PGSSLROOTCERT: '/no/root', PGSSLCERT: '/no/cert', PGSSLKEY: '/no/key' };
    expect(rootCertificates('require', ssl, env)).toEqual([ca.certPem]);
    expect(clientCertificate(ssl, env)).toMatchObject({ material: { cert: client.certPem } });
  });

  it('come from the files that the environment names', () => {
    const env = { PGSSLROOTCERT: paths['root'], PGSSLCERT: paths['cert'], PGSSLKEY: paths['key'] };
    expect(rootCertificates('require', undefined, env)).toEqual([ca.certPem]);
    expect(clientCertificate(undefined, env)).toEqual({
      material: { cert: client.certPem, key: client.keyPem },
      source: `PGSSLCERT (${paths['cert']}) and PGSSLKEY (${paths['key']})`,
    });
  });

  it("are Node's own roots and no client certificate when nothing is set", () => {
    expect(rootCertificates('verify-full', undefined, {})).toBeUndefined();
    expect(rootCertificates('verify-full', undefined, { PGSSLROOTCERT: 'system' })).toBeUndefined();
    expect(clientCertificate(undefined, {}).material).toEqual({});
  });
});
