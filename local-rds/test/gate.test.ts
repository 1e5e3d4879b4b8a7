import { Signer } from '@aws-sdk/rds-signer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGate } from '../gate.js';
import type { LocalRds } from '../index.js';
import { useLocalRds } from '../../test/support/servers.js';

const rds = useLocalRds();

afterEach(() => {
  rds().gate.set({
    ...{ delayMs: 0, refuse: false, blackhole: false, rejectTokens: false, fatal: undefined },
    clock: () => new Date(),
    advertisedHost: 'localhost',
  });
  rds().gate.dropConnections();
});

type Signed = Partial<{ hostname: string; port: number; username: string; region: string }>;

function token(target: Signed = {}, credentials = rds().credentials.current): Promise<string> {
  const { host: hostname, port, user: username, region } = rds();
  return new Signer({ hostname, port, username, region, ...target, credentials }).getAuthToken();
}

async function logIn(password: string, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const { host, port, user, database, caPem } = rds();
  const client = new pg.Client({ host, port, user, database, password, ssl: { ca: caPem }, ...config });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

interface Failure {
  readonly code?: string;
  readonly message: string;
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  return promise.then(
    () => ({ message: 'no failure' }),
    (error: unknown) => ({ ...(error as Failure), message: (error as Failure).message }),
  );
}

async function backendPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

/** Polls for up to half a minute until a backend is in the given state. */
async function backend(pid: number, state: 'sleeping' | 'gone'): Promise<boolean> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const { rows } = await rds().postgres.query<{ wait_event: string }>(
      'SELECT wait_event FROM pg_stat_activity WHERE pid = $1',
      [pid],
    );
    if (state === 'gone' ? rows.length === 0 : rows[0]?.wait_event === 'PgSleep') return true;
    await sleep(50);
  }
  return false;
}

function request(code: number, rest = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(8);
  header.writeInt32BE(8 + rest.length, 0);
  header.writeInt32BE(code, 4);
  return Buffer.concat([header, rest]);
}

const SSL_REQUEST = request(80877103);
const GSS_REQUEST = request(80877104);
const STARTUP = request(196608, Buffer.from('user\0app\0database\0app\0\0'));

/** The bytes received after sending raw bytes, until the connection ends. */
async function exchange(...writes: Buffer[]): Promise<string> {
  const socket = connect(rds().port, '127.0.0.1');
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (const bytes of writes) {
    socket.write(bytes);
    await sleep(50);
  }
  await Promise.race([closed, sleep(5_000).then(() => received.push(Buffer.from('(still open)')))]);
  socket.destroy();
  return Buffer.concat(received).toString('utf8');
}

describe('a login with a token', () => {
  it('reaches PostgreSQL as the user, encrypted, with its startup parameters', async () => {
    const client = await logIn(await token(), { application_name: 'gate test' });
    const { rows } = await client.query('SELECT current_user, current_setting($1) AS name', [
      'application_name',
    ]);
    await client.end();
    expect(rows).toEqual([{ current_user: 'app', name: 'gate test' }]);
  });

  it('works with a temporary key, whose token is 1.6 kB long', async () => {
    const long = await token({}, rds().credentials.issueTemporary());
    // Its length varies with the number of escaped characters.
    expect(long.length).toBeGreaterThan(1_500);
    await (await logIn(long)).end();
  });

  it('works for users with unusual names', async () => {
    const user = 'Ödd "user" @+%/';
    await rds().createUser(user);
    const client = await logIn(await token({ username: user }), { user });
    expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: user }]);
    await client.end();
  });

  it('works for 40 logins at once', async () => {
    const clients = await Promise.all(Array.from({ length: 40 }, async () => logIn(await token())));
    const pids = new Set(await Promise.all(clients.map(backendPid)));
    await Promise.all(clients.map((client) => client.end()));
    expect(pids.size).toBe(40);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['for another user', () => token({ username: 'postgres' }), 'signed for another user'],
    ['for another host', () => token({ hostname: '127.0.0.1' }), 'signed for another host or port'],
    ['for another port', () => token({ port: 5432 }), 'signed for another host or port'],
    ['for another region', () => token({ region: 'eu-west-1' }), 'signed for another region'],
    [
      'with another secret',
      () => token({}, { ...rds().credentials.current, secretAccessKey: 'guess' }),
      'wrong signature',
    ],
    [
      'and then tampered with',
      async () => (await token()).replace('Expires=900', 'Expires=899'),
      'wrong signature',
    ],
    [
      'with an expired temporary key',
      () => token({}, rds().credentials.issueTemporary({ lifetimeMs: -1 })),
      'unknown access key',
    ],
    ['by no key', () => Promise.resolve('password'), 'malformed token'],
  ])('is refused with the error of RDS when the token was signed %s', async (_, make, reason) => {
    const { tokensRejected } = rds().gate.stats();
    const failure = await failureOf(logIn(await make()));
    expect(failure).toMatchObject({ code: '28000', message: 'PAM authentication failed for user "app"' });
    expect(rds().gate.stats()).toMatchObject({
      tokensRejected: tokensRejected + 1,
      lastRejectReason: reason,
    });
  });

  it('is judged by the gate’s clock', async () => {
    const valid = await token();
    rds().gate.set({ clock: () => new Date(Date.now() + 902_000) });
    expect((await failureOf(logIn(valid))).code).toBe('28000');
    expect(rds().gate.stats().lastRejectReason).toBe('expired');
    rds().gate.set({ clock: () => new Date(Date.now() - 302_000) });
    expect((await failureOf(logIn(valid))).code).toBe('28000');
    expect(rds().gate.stats().lastRejectReason).toBe('dated in the future');
  });

  it('fails after a rotation until it is signed with the new key', async () => {
    const old = rds().credentials.current;
    rds().credentials.rotate();
    expect((await failureOf(logIn(await token({}, old)))).code).toBe('28000');
    await (await logIn(await token())).end();
  });

  it('works with a token for any of several advertised names', async () => {
    rds().gate.set({ advertisedHost: ['localhost', 'db.internal'] });
    await (await logIn(await token())).end();
    await (await logIn(await token({ hostname: 'db.internal' }))).end();
    expect((await failureOf(logIn(await token({ username: 'x' })))).code).toBe('28000');
    expect(rds().gate.stats().lastRejectReason).toBe('signed for another user');
  });

  it('is counted, and a token used twice is detected', async () => {
    const before = rds().gate.stats();
    const twice = await token();
    for (const password of [twice, twice]) await (await logIn(password)).end();
    const after = rds().gate.stats();
    expect(after.tokensAccepted - before.tokensAccepted).toBe(2);
    expect(after.tokensSeen - before.tokensSeen).toBeLessThanOrEqual(1);
    expect(after.duplicates - before.duplicates).toBeGreaterThanOrEqual(1);
    expect(JSON.stringify(after)).not.toContain('X-Amz');
  });

  it('returns the startup errors of PostgreSQL unchanged', async () => {
    expect((await failureOf(logIn(await token(), { database: 'nowhere' }))).code).toBe('3D000');
  });
});

describe('a login with a password', () => {
  beforeAll(() => rds().createUser('static', { password: 'pässword' }));

  it('is checked by PostgreSQL', async () => {
    const client = await logIn('pässword', { user: 'static' });
    expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: 'static' }]);
    await client.end();
    expect((await failureOf(logIn('wrong', { user: 'static' }))).code).toBe('28P01');
  });

  it('is refused for a member of rds_iam, as is a token for other users', async () => {
    expect((await failureOf(logIn('pässword'))).code).toBe('28000');
    const signed = await token({ username: 'static' });
    expect((await failureOf(logIn(signed, { user: 'static' }))).code).toBe('28P01');
  });
});

describe('encryption at the gate', () => {
  it('is required, with the message of rds.force_ssl', async () => {
    const failure = await failureOf(logIn(await token(), { ssl: false }));
    expect(failure).toMatchObject({
      code: '28000',
      message: 'no pg_hba.conf entry for host "127.0.0.1", user "app", database "app", no encryption',
    });
  });

  it('by GSSAPI is declined, and TLS may follow', async () => {
    expect(await exchange(GSS_REQUEST, SSL_REQUEST)).toMatch(/^NS/);
  });

  it.each([
    ['a TLS request', SSL_REQUEST],
    ['a GSSAPI request', GSS_REQUEST],
  ])('is aborted when bytes were sent together with %s', async (_, first) => {
    expect(await exchange(Buffer.concat([first, STARTUP]))).toBe('');
  });

  it('is aborted when plain bytes follow the answer', async () => {
    const { startups } = rds().gate.stats();
    expect(await exchange(SSL_REQUEST, STARTUP)).not.toContain('(still open)');
    expect(rds().gate.stats().startups).toBe(startups);
  });

  it.each<[string, Buffer]>([
    ['of impossible length', Buffer.from([0x7f, 0, 0, 0, 0, 3, 0, 0])],
    ['that are HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['of negative length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ])('is irrelevant for first bytes %s, which close the connection', async (_, bytes) => {
    expect(await exchange(bytes)).toBe('');
  });

  it.each<[string, Buffer]>([
    ['without a user', request(196608, Buffer.from('database\0app\0\0'))],
    ['of protocol 2', request(131072, Buffer.from('user\0app\0\0'))],
    ['cut off', request(196608, Buffer.from('user\0app'))],
    ['with a stray NUL', request(196608, Buffer.from('user\0app\0\0database\0x\0\0'))],
  ])('is irrelevant for a startup message %s, which is refused', async (_, bytes) => {
    expect(await exchange(bytes)).toContain('08P01');
  });

  it('uses another certificate for new connections after useCertificate', async () => {
    const { certPem, keyPem } = await rds().ca.issue({ dnsNames: ['elsewhere.example'] });
    rds().gate.useCertificate({ cert: certPem, key: keyPem });
    expect((await failureOf(logIn(await token()))).code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    const right = await rds().ca.issue({ dnsNames: ['localhost'] });
    rds().gate.useCertificate({ cert: right.certPem, key: right.keyPem });
    await (await logIn(await token())).end();
  });

  it("is optional or unavailable depending on the gate's options", async () => {
    const { postgres, region } = rds();
    const backend_ = {
      socketPath: `${postgres.socketDir}/.s.PGSQL.${postgres.port}`,
      host: postgres.host,
      port: postgres.port,
    };
    const credentials = (id: string) => rds().credentials.find(id);
    const gate = await startGate({ backend: backend_, region, iamUsers: ['app'], credentials });
    try {
      const { port } = gate;
      const client = await logIn(await token({ port }), { port, ssl: false });
      await client.end();
      const failure = await failureOf(logIn(await token({ port }), { port }));
      expect(failure.message).toBe('The server does not support SSL connections');
    } finally {
      gate.close();
    }
  });
});

describe('a connection through the gate', () => {
  let client: pg.Client;

  async function open(): Promise<number> {
    client = await logIn(await token());
    return backendPid(client);
  }

  /** The cancel request for the open client, whose key is not in the driver's types. */
  function cancelRequest(): Buffer {
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const key = Buffer.alloc(8);
    key.writeInt32BE(processID, 0);
    key.writeInt32BE(secretKey, 4);
    return request(80877102, key);
  }

  it.each(['plainly', 'within TLS'])('cancels its query when asked %s', async (how) => {
    const pid = await open();
    const query = failureOf(client.query('SELECT pg_sleep(60)'));
    expect(await backend(pid, 'sleeping')).toBe(true);
    const { cancels } = rds().gate.stats();
    let socket: Socket = connect(rds().port, '127.0.0.1');
    if (how === 'within TLS') {
      socket.write(SSL_REQUEST);
      await once(socket, 'data');
      socket = tlsConnect({ socket, ca: rds().caPem, servername: 'localhost' });
    }
    socket.end(cancelRequest());
    socket.resume();
    await once(socket, 'close');
    expect(await query).toMatchObject({ code: '57014' });
    expect(rds().gate.stats().cancels).toBe(cancels + 1);
    expect(await backendPid(client)).toBe(pid);
  });

  it('delivers the server’s last message when its backend is terminated during a query', async () => {
    const pid = await open();
    const query = failureOf(client.query('SELECT pg_sleep(60)'));
    expect(await backend(pid, 'sleeping')).toBe(true);
    const ended = new Promise((resolve) => client.once('end', resolve));
    await rds().postgres.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(await query).toMatchObject({ code: '57P01' });
    await ended;
  });

  it('ends its backend when the client disappears', async () => {
    const pid = await open();
    (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    expect(await backend(pid, 'gone')).toBe(true);
  });

  it('carries a large result to a reader that pauses', async () => {
    await open();
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const query = client.query<{ text: string }>(
      `SELECT repeat('x', 1000000) AS text FROM generate_series(1, 40)`,
    );
    stream.pause();
    await sleep(300);
    stream.resume();
    const { rows } = await query;
    expect(rows.reduce((sum, { text }) => sum + text.length, 0)).toBe(40_000_000);
  });

  it('carries a large parameter to the server', async () => {
    await open();
    const { rows } = await client.query('SELECT length($1) AS length', ['y'.repeat(20_000_000)]);
    expect(rows).toEqual([{ length: 20_000_000 }]);
  });

  it('is reset by dropConnections, and its backend ends', async () => {
    const pid = await open();
    const error = once(client, 'error') as Promise<[Failure]>;
    rds().gate.dropConnections();
    expect((await error)[0].code).toBe('ECONNRESET');
    expect(await backend(pid, 'gone')).toBe(true);
    expect(rds().gate.stats().open).toBe(0);
    await (await logIn(await token())).end();
  });
});

describe('the controls of the gate', () => {
  it('refuse: resets new connections', async () => {
    rds().gate.set({ refuse: true });
    expect((await failureOf(logIn(await token()))).code).toMatch(/ECONNRESET|EPIPE/);
  });

  it('blackhole: never answers', async () => {
    rds().gate.set({ blackhole: true });
    expect(await exchange(SSL_REQUEST)).toBe('(still open)');
  });

  it('delayMs: answers late', async () => {
    rds().gate.set({ delayMs: 400 });
    const before = performance.now();
    await (await logIn(await token())).end();
    expect(performance.now() - before).toBeGreaterThan(350);
  });

  it('rejectTokens: rejects a good token', async () => {
    rds().gate.set({ rejectTokens: true });
    expect((await failureOf(logIn(await token()))).code).toBe('28000');
  });

  it.each([
    ['57P03', 'the database system is starting up'],
    ['53300', 'sorry, too many clients already'],
  ])('fatal: answers startups with %s', async (code, message) => {
    rds().gate.set({ fatal: { code, message } });
    expect(await failureOf(logIn(await token()))).toMatchObject({ code, message });
  });

  it('pause: refuses connections, keeps open ones, and resumes on the same port', async () => {
    const { port } = rds();
    const client = await logIn(await token());
    rds().gate.pause();
    expect((await failureOf(logIn(await token(), { host: '127.0.0.1' }))).code).toBe('ECONNREFUSED');
    await client.query('SELECT 1');
    await rds().gate.resume();
    expect(rds().port).toBe(port);
    await (await logIn(await token())).end();
    await client.end();
  });
});

describe('the server behind the gate', () => {
  async function heals(stand: LocalRds): Promise<void> {
    const client = await logIn(await token());
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    expect(stand.gate.stats().open).toBeLessThanOrEqual(1);
  }

  it('restarts: its clients get 57P01, and new ones find it at the same address', async () => {
    const { port } = rds();
    const client = await logIn(await token());
    const query = failureOf(client.query('SELECT pg_sleep(60)'));
    await sleep(200);
    await rds().restart();
    expect((await query).code).toBe('57P01');
    expect(rds().port).toBe(port);
    await heals(rds());
  });

  it('is killed: its clients are cut off, and new ones are refused until it starts', async () => {
    const client = await logIn(await token());
    const query = failureOf(client.query('SELECT pg_sleep(60)'));
    await sleep(200);
    await rds().kill();
    expect((await query).message).toMatch(/Connection terminated|ECONNRESET/);
    expect((await failureOf(logIn('x', { host: '127.0.0.1' }))).code).toBe('ECONNREFUSED');
    await rds().start();
    await heals(rds());
  });

  it('is down while the gate is up: the client is cut off', async () => {
    const valid = await token();
    await rds().postgres.kill();
    expect((await failureOf(logIn(valid))).message).toMatch(/Connection terminated|ECONNRESET/);
    await rds().postgres.start();
    await heals(rds());
  });
});
