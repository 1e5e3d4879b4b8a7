import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCa } from '../../../local-rds/index.js';
import { newPool, type Config, type PoolOptions, type SslMode } from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { SSL_REQUEST, useFakeServer } from '../../support/fake-server.js';
import { RecordingLogger } from '../../support/logger.js';
import { loginFacts } from '../../support/login-facts.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { useTlsGates } from '../../support/tls-gates.js';
import { rejection, until } from '../../support/until.js';

const place = useCleanEnvironment();
const [ca, otherCa] = [await createCa(), await createCa()];
const { certPem: cert, keyPem: key } = await ca.issue({ dnsNames: ['localhost'] });
const server = usePostgres({ ssl: { cert, key } });
const plain = usePostgres();
const proxy = useProxy(plain);
const listener = useFakeServer();
const makePool = usePools(server);
const DAY_MS = 86_400_000;
const gate = useTlsGates(server, {
  localhost: { ca, for: { dnsNames: ['localhost'] } },
  address: { ca, for: { ipAddresses: ['127.0.0.1'] } },
  elsewhere: { ca, for: { dnsNames: ['db.internal'] } },
  commonName: { ca, for: { commonName: 'localhost', dnsNames: ['db.internal'] } },
  expired: {
    ca,
    for: {
      dnsNames: ['localhost'],
      notAfter: new Date(Date.now() - DAY_MS),
      notBefore: new Date(Date.now() - 2 * DAY_MS),
    },
  },
  future: { ca, for: { dnsNames: ['localhost'], notBefore: new Date(Date.now() + DAY_MS) } },
  stranger: { ca: otherCa, for: { dnsNames: ['localhost'] } },
});
type GateName = Parameters<typeof gate>[0];

beforeEach(() => proxy().clear());

const ROOT = { ca: ca.certPem };
const SSL = {
  'no roots': undefined,
  'its root': ROOT,
  'its root and TLS 1.3': { ...ROOT, minVersion: 'TLSv1.3' },
  'two roots': { ca: [otherCa.certPem, ca.certPem] },
} satisfies Record<string, PoolOptions['ssl']>;
const REFUSED = {
  'wrong name': /^ERR_TLS_CERT_ALTNAME_INVALID$/,
  'unknown authority':
    /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN)$/,
  expired: /^CERT_HAS_EXPIRED$/,
  'not yet valid': /^CERT_NOT_YET_VALID$/,
} as const;

/** A part of the error message for each case. */
const SAYS: Readonly<Record<keyof typeof REFUSED, (host: string) => string>> = {
  'wrong name': (host) => host,
  'unknown authority': () => 'certificate',
  expired: () => 'certificate has expired',
  'not yet valid': () => 'certificate is not yet valid',
};

describe('a login to PostgreSQL over TLS', () => {
  test.each<[SslMode, keyof typeof SSL, string, boolean]>([
    ['disable', 'no roots', '127.0.0.1', false],
    ['require', 'no roots', '127.0.0.1', true],
    ['require', 'its root', '127.0.0.1', true],
    ['verify-ca', 'its root', '127.0.0.1', true],
    ['verify-full', 'its root', 'localhost', true],
    ['verify-full', 'its root and TLS 1.3', 'localhost', true],
  ])('with sslMode %s and %s connects to %s, encrypted: %s', async (sslMode, roots, host, encrypted) => {
    const pool = await makePool({ host, port: server().port }, { sslMode }, { ssl: SSL[roots] });
    expect((await loginFacts(pool)).ssl).toBe(encrypted);
  });

  test.each<SslMode>(['require', 'verify-ca', 'verify-full'])(
    'is refused under %s on a server without TLS: no byte of the login is sent, and no socket is left',
    async (sslMode) => {
      const pool = await makePool(proxy(), { sslMode }, { ssl: ROOT });
      const error = await rejection(pool.query('select 1'));
      expect(error.message).toBe('The server does not support SSL connections');
      await until('the socket is closed', () => proxy().open === 0);
      expect([proxy().accepted, proxy().plain, proxy().clientBytes]).toEqual([1, 0, SSL_REQUEST.length]);
      expect(pool.totalCount).toBe(0);
      expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({ phase: 'tls' });
    },
  );

  test('with an unset sslMode is encrypted and trusts any certificate', async () => {
    const pool = await makePool(server(), { sslMode: undefined });
    expect((await loginFacts(pool)).ssl).toBe(true);
  });
});

describe('a handshake', () => {
  test.each<[SslMode, GateName, string, keyof typeof SSL, keyof typeof REFUSED | 'accepted']>([
    ['require', 'expired', '127.0.0.1', 'no roots', 'accepted'],
    ['require', 'stranger', 'localhost', 'no roots', 'accepted'],
    ['require', 'elsewhere', 'localhost', 'its root', 'accepted'],
    ['require', 'stranger', 'localhost', 'its root', 'unknown authority'],
    ['require', 'expired', 'localhost', 'its root', 'expired'],
    ['verify-ca', 'elsewhere', '127.0.0.1', 'its root', 'accepted'],
    ['verify-ca', 'stranger', 'localhost', 'its root', 'unknown authority'],
    ['verify-ca', 'expired', 'localhost', 'its root', 'expired'],
    ['verify-ca', 'localhost', 'localhost', 'no roots', 'unknown authority'],
    ['verify-full', 'localhost', 'localhost', 'its root', 'accepted'],
    ['verify-full', 'address', '127.0.0.1', 'its root', 'accepted'],
    ['verify-full', 'address', 'localhost', 'its root', 'wrong name'],
    ['verify-full', 'localhost', '127.0.0.1', 'its root', 'wrong name'],
    ['verify-full', 'elsewhere', 'localhost', 'its root', 'wrong name'],
    ['verify-full', 'commonName', 'localhost', 'its root', 'wrong name'],
    ['verify-full', 'stranger', 'localhost', 'its root', 'unknown authority'],
    ['verify-full', 'localhost', 'localhost', 'no roots', 'unknown authority'],
    ['verify-full', 'expired', 'localhost', 'its root', 'expired'],
    ['verify-full', 'future', 'localhost', 'its root', 'not yet valid'],
    ['verify-full', 'localhost', 'localhost', 'two roots', 'accepted'],
  ])('under %s with the certificate %s at %s and %s: %s', async (sslMode, name, host, roots, outcome) => {
    const pool = await makePool(gate(name, host), { sslMode }, { ssl: SSL[roots] });
    if (outcome === 'accepted') {
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      return;
    }
    const error = await rejection(pool.query('select 1'));
    expect(error.code).toMatch(REFUSED[outcome]);
    expect(error.message).toContain(SAYS[outcome](host));
    expect(pool.totalCount).toBe(0);
    expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({
      phase: 'tls',
      error_type: error.code,
    });
  });

  test('verifies the host name that a hook set, not the one in the config', async () => {
    const to = (host: string): PoolOptions => ({
      ssl: ROOT,
      beforeConnect: (target) => void (target.host = host),
    });
    const wrong = await makePool(gate('localhost'), { sslMode: 'verify-full' }, to('127.0.0.1'));
    const error = await rejection(wrong.query('select 1'));
    expect(error.code).toMatch(REFUSED['wrong name']);
    expect(error.message).toContain('127.0.0.1');
    const right = await makePool(gate('localhost', '127.0.0.1'), { sslMode: 'verify-full' }, to('localhost'));
    expect((await right.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('trusts the roots in PGSSLROOTCERT, or those in ssl.ca if set', async () => {
    const path = join(place.home, 'roots.pem');
    writeFileSync(path, ca.certPem);
    setEnv({ PGSSLROOTCERT: path });
    const full = { sslMode: 'verify-full' } as const;
    expect((await (await makePool(gate('localhost'), full)).query('select 1 as one')).rowCount).toBe(1);
    const asked = await makePool(gate('localhost'), full, { ssl: { ca: otherCa.certPem } });
    expect((await rejection(asked.query('select 1'))).code).toMatch(REFUSED['unknown authority']);
    const required = await makePool(gate('stranger'), { sslMode: 'require' });
    expect((await rejection(required.query('select 1'))).code).toMatch(REFUSED['unknown authority']);
  });

  test('shares one SecureContext among all connections of a pool', async () => {
    const contextOf = (client: object): unknown => (client as { ssl?: ConnectionOptions }).ssl?.secureContext;
    const pool = await makePool(gate('localhost'), { sslMode: 'verify-full' }, { ssl: ROOT });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    const contexts = new Set(clients.map(contextOf));
    for (const client of clients) client.release();
    expect(contexts.size).toBe(1);
    expect([...contexts][0]).toBeTypeOf('object');
  });
});

describe('newPool rejects, names the file and dials no connection when PGSSLROOTCERT', () => {
  test.each<[string, SslMode, string | undefined, string]>([
    ['is missing', 'verify-full', undefined, 'ENOENT'],
    ['is missing', 'require', undefined, 'ENOENT'],
    ['is empty', 'verify-ca', '', 'holds no PEM certificate'],
    ['is not PEM', 'require', 'canary', 'holds no PEM certificate'],
    [
      'holds a broken certificate',
      'verify-full',
      '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n',
      'cannot be parsed',
    ],
  ])('%s, under %s', async (_what, sslMode, content, text) => {
    const path = join(place.home, 'roots.pem');
    if (content !== undefined) writeFileSync(path, content);
    setEnv({ PGSSLROOTCERT: path });
    const { host, port } = listener;
    const config: Config = { host, port, user: 'app', password: 'x', database: 'app', sslMode, minConns: 1 };
    const error = await rejection(newPool(config, { logger: new RecordingLogger() }));
    expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_PGAUGE_CONFIG' });
    expect(error.message).toContain(path);
    expect(error.message).toContain(text);
    expect(error.message).not.toContain('canary');
    expect(await listener.dialled()).toBe(0);
  });
});

describe('a server that does not encrypt', () => {
  const SSL_REFUSED = 'The server does not support SSL connections';
  const SSL_ERROR = 'There was an error establishing an SSL connection';

  test.each<[string, SslMode, string, string]>([
    ...(['require', 'verify-ca', 'verify-full'] as const).map(
      (sslMode): [string, SslMode, string, string] => ['refuses encryption', sslMode, 'N', SSL_REFUSED],
    ),
    ['answers with an error', 'require', 'E\0\0\0\x10SFATAL\0C08P01\0\0', SSL_ERROR],
    ['appends bytes to its answer', 'require', 'SR\0\0\0\x08\0\0\0\0', SSL_ERROR],
  ])('and %s is refused under %s, and receives only the TLS request', async (_how, sslMode, answer, text) => {
    listener.reply = ({ socket }, piece) => {
      if (piece.length > 0) socket.write(answer, 'latin1');
    };
    const pool = await makePool(listener, { sslMode, password: 'canary' }, { ssl: ROOT });
    const error = await rejection(pool.query('select 1'));
    expect(error.message).toBe(text);
    await until('the connection is closed', () => listener.sessions[0]?.closed);
    expect(listener.sessions).toHaveLength(1);
    expect(listener.sessions[0]?.received).toEqual(SSL_REQUEST);
    expect(pool.totalCount).toBe(0);
  });

  test('and sends bytes between its answer and the handshake is refused', async () => {
    listener.reply = ({ socket }, piece) => {
      if (!piece.equals(SSL_REQUEST)) return;
      socket.write('S');
      // AuthenticationOk and ReadyForQuery, whether the client has begun its handshake or not.
      setImmediate(() => socket.write(Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1')));
    };
    const pool = await makePool(listener, { sslMode: 'require', password: 'canary' });
    const error = await rejection(pool.query('select 1'));
    expect(error.message).toMatch(/SSL/i);
    await until('the connection is closed', () => listener.sessions[0]?.closed);
    expect(listener.sessions[0]?.received.toString('latin1')).not.toMatch(/canary|postgres/);
    expect(pool.totalCount).toBe(0);
  });
});
