import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import pg from 'pg';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createCa } from '../../local-rds/index.js';
import { canBeginTls } from '../../src/connection/driver.js';
import { ConfigError, fromPgConfig, type Config } from '../../src/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { SSL_REQUEST, useFakeServer } from '../support/fake-server.js';
import { loginFacts } from '../support/login-facts.js';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { useTlsGates } from '../support/tls-gates.js';
import { rejection, until } from '../support/until.js';

const place = useCleanEnvironment();
const ca = await createCa();
const { certPem: cert, keyPem: key } = await ca.issue({ dnsNames: ['localhost', 'db.internal'] });
const server = usePostgres({ ssl: { cert, key }, requireSsl: true });
const makePool = usePools(server);
const plain = usePostgres();
const listener = useFakeServer();
const gate = useTlsGates(plain, { localhost: { ca, for: { dnsNames: ['localhost'] } } });
const DIRECT = { ca: ca.certPem, negotiation: 'direct' } as const;
const FULL = { sslMode: 'verify-full' } as const;
const HANDSHAKE = 0x16;

afterEach(() => void vi.restoreAllMocks());

/** The first byte that each connection sends, in a server that never answers. */
const firstBytes = (): number[] => listener.sessions.flatMap(({ received }) => received[0] ?? []);

// An older pg is refused when the pool is made.
describe.runIf(canBeginTls())("ssl.negotiation 'direct'", () => {
  test('logs in to PostgreSQL over TLS, verified, and a query can be cancelled over it', async () => {
    const to = { host: 'localhost', port: server().port };
    const pool = await makePool(to, { ...FULL, maxOpenConns: 1 }, { ssl: DIRECT });
    const asked = vi.spyOn(pg.Connection.prototype as unknown as { requestSsl(): void }, 'requestSsl');
    expect(await loginFacts(pool)).toMatchObject({ ssl: true });
    const client = await pool.connect();
    const error = await rejection(client.query({ text: 'select pg_sleep(60)', timeoutMs: 100 }));
    expect(error.code).toBe('ERR_PGAUGE_QUERY_TIMEOUT');
    // The session is the same, so the query was cancelled and the connection kept.
    const { rows } = await client.query('select 1 as one');
    expect(rows).toEqual([{ one: 1 }]);
    client.release();
    expect(pool.stat().newConnsCount).toBe(1);
    expect(asked).not.toHaveBeenCalled();
  });

  test.each([
    ['the server name of the options', { host: '127.0.0.1' }, { ...DIRECT, servername: 'db.internal' }],
    ['a minimum of TLS 1.3', { host: 'localhost' }, { ...DIRECT, minVersion: 'TLSv1.3' as const }],
  ])('works with %s', async (_what, { host }, ssl) => {
    const pool = await makePool({ host, port: server().port }, FULL, { ssl });
    expect(await loginFacts(pool)).toMatchObject({ ssl: true });
  });

  test('verifies the certificate', async () => {
    const to = { host: '127.0.0.1', port: server().port };
    const pool = await makePool(to, FULL, { ssl: DIRECT });
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test('works over a stream from the application', async () => {
    const { port } = server();
    const dial = (): net.Socket => net.connect(port, '127.0.0.1');
    const pool = await makePool({ host: 'localhost', port }, FULL, { ssl: DIRECT, dial });
    expect(await loginFacts(pool)).toMatchObject({ ssl: true });
  });

  test('works with the stand-in for RDS, and with several hosts', async () => {
    const { user, password, database } = plain();
    const config = { ...FULL, user, password, database };
    const own = await makePool(gate('localhost'), config, { ssl: DIRECT });
    expect((await own.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    const hosts = [
      { host: 'localhost', port: listener.port },
      { host: 'localhost', port: server().port },
    ];
    listener.reply = ({ socket }) => socket.destroy();
    const several = { ...FULL, hosts, host: undefined, port: undefined } as Partial<Config>;
    const pool = await makePool(server(), several, { ssl: DIRECT });
    expect(await loginFacts(pool)).toMatchObject({ ssl: true });
  });

  test('begins with the TLS handshake, while the default sends an SSLRequest first', async () => {
    for (const [negotiation, first] of [
      ['direct', HANDSHAKE],
      ['postgres', SSL_REQUEST[0]],
      [undefined, SSL_REQUEST[0]],
    ] as const) {
      const pool = await makePool(listener, FULL, {
        ssl: { ...DIRECT, negotiation },
        connectTimeoutMs: 5_000,
      });
      const failed = rejection(pool.query('select 1'));
      await until('something is sent', () => firstBytes().length > 0);
      expect(firstBytes()).toEqual([first]);
      for (const { socket } of listener.sessions.splice(0)) socket.destroy();
      await failed;
    }
  });

  test('on a server that mistakes the handshake for a startup message fails and names the required version', async () => {
    // As PostgreSQL up to 16 does: it reads an impossible length.
    listener.reply = ({ socket }, piece) => piece[0] === HANDSHAKE && socket.destroy();
    const pool = await makePool(listener, FULL, { ssl: DIRECT });
    const error = await rejection(pool.query('select 1'));
    expect(error.message).toContain("ssl.negotiation 'direct' needs PostgreSQL 17 or later");
    expect(error.code).toBe('ECONNRESET');
  });

  test('on a server that does not confirm the protocol fails before the password is sent', async () => {
    const received: string[] = [];
    const other = tls.createServer({ cert, key }, (socket) => {
      socket.setEncoding('latin1').on('error', () => undefined);
      socket.on('data', (data) => received.push(String(data)));
      // It requests the password in cleartext.
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as net.AddressInfo;
    const pool = await makePool(
      { host: 'localhost', port },
      { ...FULL, password: 'canary' },
      { ssl: DIRECT },
    );
    const error = await rejection(pool.query('select 1'));
    expect(error.message).toBe(
      "the server does not confirm ssl.negotiation 'direct': it needs PostgreSQL 17",
    );
    other.close();
    expect(received.join('')).not.toContain('canary');
  });

  test('is refused with a driver that does not support it', async () => {
    const defaults = pg.defaults as { sslnegotiation?: unknown };
    delete defaults.sslnegotiation;
    try {
      expect(await rejection(makePool(server(), FULL, { ssl: DIRECT }))).toEqual(
        new ConfigError("invalid configuration: ssl.negotiation 'direct' needs pg 8.22 or later"),
      );
    } finally {
      defaults.sslnegotiation = undefined;
    }
  });

  test('is refused when a hook has switched TLS off', async () => {
    const to = { host: 'localhost', port: server().port };
    const pool = await makePool(to, FULL, {
      ssl: DIRECT,
      beforeConnect: (target) => void (target.ssl = false),
    });
    const error = await rejection(pool.query('select 1'));
    expect(error).toEqual(
      new ConfigError("ssl.negotiation 'direct' needs TLS, which beforeConnect has switched off"),
    );
  });

  test('can be set by sslnegotiation=direct in a connection string', async () => {
    const { user, password, database, port } = server();
    const roots = join(place.home, 'roots.pem');
    writeFileSync(roots, ca.certPem);
    const url = `postgres://${user}:${password}@localhost:${port}/${database}?sslnegotiation=direct`;
    const { config, options } = fromPgConfig({ connectionString: `${url}&sslrootcert=${roots}` });
    expect(config.sslMode).toBe('verify-full');
    expect(options.ssl).toMatchObject({ ca: ca.certPem, negotiation: 'direct' });
    const pool = await makePool({ host: 'localhost', port }, config, options);
    expect(await loginFacts(pool)).toMatchObject({ ssl: true });
    expect(fromPgConfig({ connectionString: url }).options.ssl).toEqual({ negotiation: 'direct' });
    expect(fromPgConfig({ connectionString: url.replace('direct', 'postgres') }).options.ssl).toBeUndefined();
  });
});
