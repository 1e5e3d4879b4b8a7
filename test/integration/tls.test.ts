import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createCa } from '../../local-rds/index.js';
import { newPool, type Config, type PoolOptions, type SslMode } from '../../src/index.js';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { SSL_REQUEST, useFakeServer } from '../support/fake-server.js';
import { RecordingLogger } from '../support/logger.js';
import { loginFacts } from '../support/login-facts.js';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { useTlsGates } from '../support/tls-gates.js';
import { rejection, until } from '../support/until.js';

const place = useCleanEnvironment();
const [ca, otherCa] = [await createCa(), await createCa()];
const { certPem: cert, keyPem: key } = await ca.issue({ dnsNames: ['localhost'] });
const server = usePostgres({ ssl: { cert, key } });
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

const ROOT = { ca: ca.certPem };
const NAME = /^ERR_TLS_CERT_ALTNAME_INVALID$/;
const CHAIN =
  /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN)$/;
const OVER = /^CERT_HAS_EXPIRED$/;
const EARLY = /^CERT_NOT_YET_VALID$/;

describe('against PostgreSQL itself', () => {
  test.each<[SslMode, PoolOptions['ssl'], string, boolean]>([
    ['disable', undefined, '127.0.0.1', false],
    ['require', undefined, '127.0.0.1', true],
    ['require', ROOT, '127.0.0.1', true],
    ['verify-ca', ROOT, '127.0.0.1', true],
    ['verify-full', ROOT, 'localhost', true],
    ['verify-full', { ...ROOT, minVersion: 'TLSv1.3' }, 'localhost', true],
  ])('sslMode %s with %j connects to %s, encrypted: %s', async (sslMode, ssl, host, encrypted) => {
    const pool = await makePool({ host, port: server().port }, { sslMode }, { ssl });
    expect((await loginFacts(pool)).ssl).toBe(encrypted);
  });

  test('an unset sslMode encrypts, and trusts any certificate', async () => {
    const pool = await makePool(server(), { sslMode: undefined });
    expect((await loginFacts(pool)).ssl).toBe(true);
  });
});

describe('a handshake', () => {
  test.each<[SslMode, GateName, string, PoolOptions['ssl'], RegExp | 'accepted']>([
    ['require', 'expired', '127.0.0.1', undefined, 'accepted'],
    ['require', 'stranger', 'localhost', undefined, 'accepted'],
    ['require', 'elsewhere', 'localhost', ROOT, 'accepted'],
    ['require', 'stranger', 'localhost', ROOT, CHAIN],
    ['require', 'expired', 'localhost', ROOT, OVER],
    ['verify-ca', 'elsewhere', '127.0.0.1', ROOT, 'accepted'],
    ['verify-ca', 'stranger', 'localhost', ROOT, CHAIN],
    ['verify-ca', 'expired', 'localhost', ROOT, OVER],
    ['verify-ca', 'localhost', 'localhost', undefined, CHAIN],
    ['verify-full', 'localhost', 'localhost', ROOT, 'accepted'],
    ['verify-full', 'address', '127.0.0.1', ROOT, 'accepted'],
    ['verify-full', 'address', 'localhost', ROOT, NAME],
    ['verify-full', 'localhost', '127.0.0.1', ROOT, NAME],
    ['verify-full', 'elsewhere', 'localhost', ROOT, NAME],
    ['verify-full', 'commonName', 'localhost', ROOT, NAME],
    ['verify-full', 'stranger', 'localhost', ROOT, CHAIN],
    ['verify-full', 'localhost', 'localhost', undefined, CHAIN],
    ['verify-full', 'expired', 'localhost', ROOT, OVER],
    ['verify-full', 'future', 'localhost', ROOT, EARLY],
    ['verify-full', 'localhost', 'localhost', { ca: [otherCa.certPem, ca.certPem] }, 'accepted'],
  ])('under %s with the certificate %s at %s, ssl %j: %s', async (sslMode, name, host, ssl, outcome) => {
    const pool = await makePool(gate(name, host), { sslMode }, { ssl });
    if (outcome === 'accepted') {
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
      return;
    }
    const error = await rejection(pool.query('select 1'));
    expect(error.code).toMatch(outcome);
    // The message says what is wrong, and with which name.
    if (outcome === NAME) expect(error.message).toContain(host);
    if (outcome === OVER) expect(error.message).toContain('expired');
    expect(pool.totalCount).toBe(0);
    expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({
      phase: 'tls',
      error_type: error.code,
    });
  });

  test('verifies the host that a hook has put in, in both directions', async () => {
    const to = (host: string): PoolOptions => ({
      ssl: ROOT,
      beforeConnect: (target) => void (target.host = host),
    });
    const wrong = await makePool(gate('localhost'), { sslMode: 'verify-full' }, to('127.0.0.1'));
    const error = await rejection(wrong.query('select 1'));
    expect(error.code).toMatch(NAME);
    expect(error.message).toContain('127.0.0.1');
    const right = await makePool(gate('localhost', '127.0.0.1'), { sslMode: 'verify-full' }, to('localhost'));
    expect((await right.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('takes the roots of PGSSLROOTCERT, and ssl.ca before them', async () => {
    const path = join(place.home, 'roots.pem');
    writeFileSync(path, ca.certPem);
    setEnv({ PGSSLROOTCERT: path });
    const full = { sslMode: 'verify-full' } as const;
    expect((await (await makePool(gate('localhost'), full)).query('select 1 as one')).rowCount).toBe(1);
    const asked = await makePool(gate('localhost'), full, { ssl: { ca: otherCa.certPem } });
    expect((await rejection(asked.query('select 1'))).code).toMatch(CHAIN);
    const required = await makePool(gate('stranger'), { sslMode: 'require' });
    expect((await rejection(required.query('select 1'))).code).toMatch(CHAIN);
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

describe('newPool rejects, names the file and dials nothing when PGSSLROOTCERT', () => {
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
      (sslMode): [string, SslMode, string, string] => ['says so', sslMode, 'N', SSL_REFUSED],
    ),
    ['answers with an error', 'require', 'E\0\0\0\x10SFATAL\0C08P01\0\0', SSL_ERROR],
    ['stuffs bytes in after its answer', 'require', 'SR\0\0\0\x08\0\0\0\0', SSL_ERROR],
  ])(
    'and %s is refused under %s, and is sent nothing but the request',
    async (_how, sslMode, answer, text) => {
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
    },
  );

  test('and stuffs bytes in between its answer and the handshake is refused', async () => {
    listener.reply = ({ socket }, piece) => {
      if (!piece.equals(SSL_REQUEST)) return;
      socket.write('S');
      // AuthenticationOk and ReadyForQuery, once the client has begun its handshake or not.
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
