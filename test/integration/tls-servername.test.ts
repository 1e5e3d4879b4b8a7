import { describe, expect, test } from 'vitest';
import { createCa } from '../../local-rds/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { useFakeServer } from '../support/fake-server.js';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { useTlsGates } from '../support/tls-gates.js';
import { AFTER_HANDSHAKE, shakesHands } from '../support/tls-listener.js';
import { rejection } from '../support/until.js';

useCleanEnvironment();
const ca = await createCa();
const certificate = await ca.issue({ dnsNames: ['localhost', 'db.internal'], ipAddresses: ['127.0.0.1'] });
const server = usePostgres();
const makePool = usePools(server);
const listener = useFakeServer();
const gate = useTlsGates(server, {
  internal: { ca, for: { dnsNames: ['db.internal'] } },
  localhost: { ca, for: { dnsNames: ['localhost'] } },
});
const FULL = { sslMode: 'verify-full' } as const;

describe('the requested server name (SNI)', () => {
  test.each([
    ['localhost', undefined, 'localhost'],
    // The trailing dot of a fully qualified name is meant only for the resolver.
    ['localhost', 'db.internal.', 'db.internal'],
    ['127.0.0.1', undefined, undefined],
    ['localhost', 'db.internal', 'db.internal'],
    ['127.0.0.1', 'db.internal', 'db.internal'],
  ])('for host %s with ssl.servername %s is %s', async (host, servername, expected) => {
    const names: (string | undefined)[] = [];
    listener.reply = shakesHands(certificate, (name) => names.push(name));
    for (const sslMode of ['require', 'verify-full'] as const) {
      const pool = await makePool(
        { host, port: listener.port },
        { sslMode },
        { ssl: { ca: ca.certPem, servername } },
      );
      expect(await rejection(pool.query('select 1'))).toMatchObject({ code: AFTER_HANDSHAKE });
    }
    expect(names).toEqual([expected, expected]);
  });

  test('follows the host that a hook set', async () => {
    const names: (string | undefined)[] = [];
    listener.reply = shakesHands(certificate, (name) => names.push(name));
    const pool = await makePool({ host: '127.0.0.1', port: listener.port }, FULL, {
      ssl: { ca: ca.certPem },
      beforeConnect: (target) => void (target.host = 'localhost'),
    });
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: AFTER_HANDSHAKE });
    expect(names).toEqual(['localhost']);
  });
});

describe('ssl.servername', () => {
  test.each(['localhost', '127.0.0.1'])('is verified instead of the host %s', async (host) => {
    const ssl = { ca: ca.certPem, servername: 'db.internal' };
    const right = await makePool(gate('internal', host), FULL, { ssl });
    expect((await right.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    const wrong = await makePool(gate('localhost', host), FULL, { ssl });
    const error = await rejection(wrong.query('select 1'));
    expect(error.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(error.message).toContain('db.internal');
  });

  test('does not change which host is dialled', async () => {
    const pool = await makePool({ host: 'no-such-host.invalid', port: 1 }, FULL, {
      ssl: { ca: ca.certPem, servername: 'localhost' },
    });
    expect(await rejection(pool.query('select 1'))).toMatchObject({
      syscall: 'getaddrinfo',
      hostname: 'no-such-host.invalid',
    });
  });

  test('applies to every connection', async () => {
    const pool = await makePool(
      gate('internal'),
      { ...FULL, maxOpenConns: 3 },
      {
        ssl: { ca: ca.certPem, servername: 'db.internal' },
      },
    );
    for (let n = 0; n < 2; n += 1) {
      const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
      for (const client of clients) client.release(true);
    }
    expect(pool.stat().newConnsCount).toBe(6);
  });
});
