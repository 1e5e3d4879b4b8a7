import { inspect } from 'node:util';
import { setImmediate as turn } from 'node:timers/promises';
import { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { createCa } from '../../../local-rds/index.js';
import { ConfigError, type DialFunction, type DialTarget } from '../../../src/index.js';
import { plainStream, socketTo } from '../../support/plain-stream.js';
import { usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { useTlsGates } from '../../support/tls-gates.js';
import { rejection, until } from '../../support/until.js';
import { unique, useFaultServer } from '../support/fault-server.js';
import { useWatchedPools } from '../support/watched-pools.js';

const ca = await createCa();
const server = useFaultServer();
const proxy = useProxy(server);
const gate = useTlsGates(server, { localhost: { ca, for: { dnsNames: ['localhost'] } } });
const tlsProxy = useProxy(() => ({ ...gate('localhost'), host: '127.0.0.1' }));
const makePool = useWatchedPools(server);
const makePlainPool = usePools(server);

const LOST = /ECONNRESET|^Connection terminated|^Client network socket disconnected/;
const codeOrText = ({ code, message }: Error & { code?: string }): string => code ?? message;

/** The kinds of streams that `dial` may return, with and without TLS on top. */
const WAYS = {
  'a socket': { dial: socketTo, tls: false },
  'a stream that is not a socket': { dial: (target) => plainStream(socketTo(target)), tls: false },
  'TLS over a socket': { dial: socketTo, tls: true },
  'TLS over a stream that is not a socket': {
    dial: (target) => Promise.resolve(plainStream(socketTo(target))),
    tls: true,
  },
} satisfies Record<string, { dial: DialFunction; tls: boolean }>;

beforeEach(() => {
  proxy().clear();
  tlsProxy().clear();
});

describe.each(Object.entries(WAYS))('through %s', (_name, { dial, tls }) => {
  const link = () => (tls ? tlsProxy() : proxy());
  const open = (options = {}, config = {}) =>
    makePool(
      { host: 'localhost', port: link().port },
      { maxOpenConns: 1, sslMode: tls ? 'verify-full' : 'disable', ...config },
      { dial, ...(tls && { ssl: { ca: ca.certPem } }), ...options },
    );

  test('queries run, and a connection that is reset while idle is replaced', async () => {
    const pool = await open();
    await pool.query(unique('select 1'));
    link().resetAll();
    await until('the loss is noticed', () => pool.totalCount === 0);
    await pool.keepsTheRules({ network: 1 });
  });

  test("a session that the server ends rejects its query with the server's code", async () => {
    const pool = await open();
    const { rows } = await pool.query<{ pid: number }>(unique('select pg_backend_pid() as pid'));
    const running = rejection(pool.query(unique('select pg_sleep(60)')));
    await until('the query runs', async () => {
      const ended = await server().query(
        `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`,
        [rows[0]?.pid],
      );
      return ended.rowCount;
    });
    expect((await running).code).toBe('57P01');
    await pool.keepsTheRules({ server_closed: 1 });
  });

  test('a cut inside a message rejects the query', async () => {
    const pool = await open();
    await pool.query(unique('select 1'));
    link().set({ cutAfterBytes: 5_000 });
    const cut = await rejection(pool.query(unique("select repeat('x', 1000000) as long")));
    expect(codeOrText(cut)).toMatch(LOST);
    link().set({ cutAfterBytes: Infinity });
    await pool.keepsTheRules({ network: 'some' });
  });

  test('a slow link that delivers small pieces works', async () => {
    link().set({ delayMs: 2, chunkBytes: 97 });
    const pool = await open();
    const { rows } = await pool.query<{ long: string }>(unique("select repeat('x', 5000) as long"));
    expect(rows[0]?.long).toHaveLength(5_000);
    link().set({ delayMs: 0, chunkBytes: Infinity });
    await pool.keepsTheRules({});
  });

  test('an attempt on a silent server is abandoned at the deadline', async () => {
    link().set({ blackHole: true });
    const pool = await open({ connectTimeoutMs: 400 });
    expect((await rejection(pool.query(unique('select 1')))).message).toContain('timeout');
    link().clear();
    await pool.keepsTheRules({ timeout: 1 });
  });

  test('a query that times out is cancelled through a separate stream, and its connection is kept', async () => {
    const pool = await open({ queryTimeoutMs: 500 });
    await pool.query(unique('select 1'));
    expect((await rejection(pool.query(unique('select pg_sleep(60)')))).message).toContain('timeout');
    await pool.query(unique('select 2'));
    expect(link().accepted).toBe(2);
    await pool.keepsTheRules({});
  });
});

describe('a dial function', () => {
  const open = (dial: unknown, options = {}) =>
    makePool(proxy(), { maxOpenConns: 1 }, { dial: dial as DialFunction, ...options });
  /** Runs `first` on the first call, and dials on later ones. */
  const once = (first: (target: DialTarget, context: { signal: AbortSignal }) => unknown): DialFunction => {
    let called = false;
    return ((target, context) => {
      if (called) return socketTo(target);
      called = true;
      return first(target, context);
    }) as DialFunction;
  };

  test.each([
    ['throws', false],
    ['rejects', true],
  ])('that %s rejects the query with that same error', async (_how, later) => {
    const own = new Error('no tunnel');
    const fails = (): Promise<never> => {
      if (later) return Promise.reject(own);
      throw own;
    };
    const pool = await open(once(fails));
    expect(await rejection(pool.query(unique('select 1')))).toBe(own);
    const [failed] = pool.log.named('postgres connect failed');
    expect(failed?.fields).toMatchObject({ phase: 'tcp' });
    expect(pool.totalCount).toBe(0);
    await pool.keepsTheRules({});
  });

  test('that hangs is abandoned at the deadline: its signal aborts, and its late stream is destroyed', async () => {
    let late: Socket | undefined;
    let give = (): void => undefined;
    let aborted = false;
    const pool = await open(
      once((target, { signal }) => {
        signal.addEventListener('abort', () => (aborted = true));
        return new Promise((resolve) => {
          give = () => resolve((late = socketTo(target)));
        });
      }),
      { connectTimeoutMs: 300 },
    );
    const error = await rejection(pool.query(unique('select 1')));
    expect(error).toMatchObject({ code: 'ERR_PGAUGE_CONNECT_TIMEOUT' });
    expect(error.message).toContain('(tcp)');
    expect({ aborted, total: pool.totalCount }).toEqual({ aborted: true, total: 0 });
    give();
    await until('the late stream is destroyed', () => late?.destroyed);
    await pool.keepsTheRules({});
  });

  test('that still hangs when the pool ends does not delay end()', async () => {
    const hangs = () => new Promise<Duplex>(() => undefined);
    const pool = await makePlainPool(server(), {}, { dial: hangs, connectTimeoutMs: 60_000 });
    const waiting = rejection(pool.query(unique('select 1')));
    await turn();
    await pool.end({ waiting: 'reject' });
    expect(await waiting).toMatchObject({ code: 'ERR_PGAUGE_POOL_ENDED' });
    expect(pool.totalCount).toBe(0);
  });

  const destroyed = (): Duplex => plainStream(new Socket()).destroy();
  const failing = (): Duplex => {
    const stream = plainStream(new Socket());
    process.nextTick(() => stream.destroy(new Error('the channel failed')));
    return stream;
  };
  const ended = (): Duplex => {
    const stream = new Duplex({ read: () => undefined, write: (_piece, _encoding, done) => done() });
    stream.push(null);
    return stream;
  };

  test.each<[string, () => unknown, RegExp]>([
    ['is already destroyed', destroyed, /the stream that dial returned is closed/],
    ['fails at once', failing, /the channel failed/],
    ['fails at once, in a promise', () => Promise.resolve(failing()), /the channel failed/],
    ['cannot connect', () => socketTo({ host: '127.0.0.1', port: 1 }), /ECONNREFUSED/],
    ['has ended its readable side', ended, /^Connection terminated|is closed/],
    ['is closed while it connects', () => socketTo({ host: '127.0.0.1', port: 1 }).destroy(), /is closed/],
  ])('whose stream %s rejects the query', async (_how, answer, text) => {
    const pool = await open(once(answer));
    expect((await rejection(pool.query(unique('select 1')))).message).toMatch(text);
    expect(pool.totalCount).toBe(0);
    await pool.keepsTheRules({ network: 'any' });
  });

  test.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['null', () => Promise.resolve(null)],
    ['a string', () => 'socket'],
    ['a port', () => 5432],
    ['a stream that cannot be written', () => ({ on: () => undefined, destroy: () => undefined })],
    ['an object without a stream', () => ({ encrypted: true })],
    ['a string for encrypted', () => ({ stream: plainStream(new Socket()), encrypted: 'yes' })],
    ['a socket that is not connecting', () => new Socket()],
  ])('that returns %s is refused', async (_what, answer) => {
    const pool = await open(once(answer));
    const error = await rejection(pool.query(unique('select 1')));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^dial (must return|returned a socket)/);
    expect(pool.totalCount).toBe(0);
    await pool.keepsTheRules({ auth: 'any' });
  });

  test('that tries to change its target gets a TypeError', async () => {
    const pool = await open(
      once((target) => {
        expect(() => Object.assign(target, { host: 'elsewhere' })).toThrow(TypeError);
        return socketTo(target);
      }),
    );
    await pool.keepsTheRules({});
  });

  test('receives no secret', async () => {
    const told: unknown[] = [];
    const pool = await open((target: DialTarget, context: object) => {
      told.push(target, context);
      return socketTo(target);
    });
    await pool.query(unique('select 1'));
    const { host, port } = proxy();
    const { user, password, database } = server();
    expect(told[0]).toEqual({ host, port, user, database, tls: false });
    expect(inspect(told, { depth: 9, showHidden: true })).not.toContain(password);
    await pool.keepsTheRules({});
  });
});
