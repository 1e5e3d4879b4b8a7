import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import Cursor from 'pg-cursor';
import { from as copyFrom } from 'pg-copy-streams';
import { OpenTransactionError, type InstrumentedPool } from '../../../src/index.js';
import { backendPid, usePools } from '../../support/pools.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { OpenCursor } from '../../support/open-cursor.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

beforeEach(() => proxy().clear());

/** Every form of failing query whose callback releases the client before ReadyForQuery. */
const FAILING: [string, (client: pg.PoolClient, callback: (error: Error) => void) => void][] = [
  ['a simple query', (client, callback) => client.query('select 1/0', callback)],
  ['a query with values', (client, callback) => client.query('select 1/$1::int', [0], callback)],
  [
    'a prepared statement',
    (client, callback) => client.query({ name: 'div', text: 'select 1/$1::int', values: [0] }, callback),
  ],
  ['a query that does not parse', (client, callback) => client.query('selec 1', callback)],
];

/** Releases the client in the callback of a query that fails with `code`. */
function releaseInCallback(
  pool: InstrumentedPool,
  run: (client: pg.PoolClient, callback: (error: Error) => void) => void,
): Promise<{ code?: string; pid: number }> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client, done) => {
      if (client === undefined) {
        reject(error ?? new Error('no client'));
        return;
      }
      const { processID: pid } = client as unknown as { processID: number };
      let called = false;
      run(client, (failure) => {
        // The driver calls the callback twice for a value that it cannot write.
        if (called) return;
        called = true;
        done();
        const { code } = failure as { code?: string };
        resolve({ ...(code !== undefined && { code }), pid });
      });
    });
  });
}

describe('a client released inside a transaction', () => {
  test('is destroyed, logged as a warning and counted, and its changes are rolled back', async () => {
    await server().query('create table things (id int)');
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    await client.query('begin');
    await client.query('insert into things values (1)');
    client.release();
    expect(pool.totalCount).toBe(0);
    expect(await backendPid(pool)).not.toBe(before);
    expect((await pool.query('select * from things')).rows).toEqual([]);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
    expect(pool.log.named('postgres client released in a transaction')).toMatchObject([
      { level: 'warn', fields: { reason: 'tx_open' } },
    ]);
    await until(
      'the server has ended the session',
      async () =>
        (await server().query('select 1 from pg_stat_activity where pid = $1', [before])).rowCount === 0,
    );
  });

  test('that has failed is destroyed', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    await client.query('begin');
    await rejection(client.query('select 1/0'));
    client.release();
    await until('it is judged', () => pool.log.closeReasons.length > 0);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('that began in the same text as the failing statement is destroyed', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await rejection(pool.query('begin; select 1/0'));
    await until('it is judged', () => pool.log.closeReasons.length > 0);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('that has ended is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    for (const text of ['begin', 'select 1', 'commit', 'begin', 'rollback']) await client.query(text);
    client.release();
    expect(await backendPid(pool)).toBe(before);
  });
});

/** The forms of a pool query, each returning its rejection. */
const POOL_QUERIES: [string, (pool: InstrumentedPool, text: string) => Promise<unknown>][] = [
  ['a promise', (pool, text) => rejection(pool.query(text))],
  ['a config', (pool, text) => rejection(pool.query({ text, values: [] }))],
  [
    'a callback',
    (pool, text) => new Promise((resolve) => pool.query(text, (error: Error) => resolve(error))),
  ],
  ['a query object', (pool, text) => rejection(pool.query(new pg.Query(text)) as unknown as Promise<void>)],
  [
    'a query object with a callback',
    (pool, text) =>
      new Promise((resolve) => {
        const query = Object.assign(new pg.Query(text), { callback: resolve });
        (pool.query(query) as unknown as Promise<void>).catch(() => undefined);
      }),
  ],
];

describe('a pool.query that leaves a transaction open', () => {
  test.each(POOL_QUERIES)(
    'rejects in the form of %s, and its connection is destroyed',
    async (_form, run) => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      const error = await run(pool, 'begin');
      expect(error).toBeInstanceOf(OpenTransactionError);
      expect(error).toMatchObject({
        code: 'ERR_PGAUGE_OPEN_TRANSACTION',
        message: expect.stringContaining('pool.connect()') as string,
      });
      expect(pool.log.closeReasons).toEqual(['tx_open']);
      await pool.query('select 1');
    },
  );

  test('is rolled back, and the queries after it commit on their own', async () => {
    await server().query('create table unnoticed (id int)');
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const outcomes = await Promise.allSettled(
      ['begin; insert into unnoticed values (1)', 'insert into unnoticed values (2)', 'rollback'].map(
        (text) => pool.query(text),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect((await pool.query('select id from unnoticed')).rows).toEqual([{ id: 2 }]);
  });

  test.each(['begin; select 1; commit', 'begin; select 1; rollback', 'select 1'])(
    'is not one whose own text ends the transaction: %s',
    async (text) => {
      const pool = await makePool(server(), { maxOpenConns: 1 });
      await pool.query(text);
      expect(pool.log.closeReasons).toEqual([]);
    },
  );
});

describe.each([
  ['together', {}],
  ['in separate packets', { messageDelayMs: (type: string) => (type === 'Z' ? 60 : 0) }],
  ['a byte at a time', { chunkBytes: 1 }],
])('with ErrorResponse and ReadyForQuery %s', (_name, controls) => {
  test.each(FAILING)('a client released in the callback of %s that fails is kept', async (_form, run) => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    await pool.query('select 1');
    proxy().set(controls);
    const { code, pid } = await releaseInCallback(pool, run);
    expect(code).toMatch(/^22012|42601$/);
    expect(pool.stat()).toMatchObject({ totalConns: 1 });
    expect(await backendPid(pool)).toBe(pid);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a failing pool.query keeps its connection', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    const before = await backendPid(pool);
    proxy().set(controls);
    expect((await rejection(pool.query('select 1/0'))).code).toBe('22012');
    expect(await backendPid(pool)).toBe(before);
  });

  test('a connection in a failed transaction is not pooled', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    await pool.query('select 1');
    proxy().set(controls);
    const { pid } = await releaseInCallback(pool, (client, callback) => {
      client.query('begin; select 1/0', callback);
    });
    expect(await backendPid(pool)).not.toBe(pid);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
  });
});

describe('a released client whose ReadyForQuery is still due', () => {
  test('counts as used, is not handed out, and is destroyed after more than a second', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    await pool.query('select 1');
    let late = 0;
    proxy().set({ messageDelayMs: (type) => (type === 'Z' && late++ === 0 ? 5_000 : 0) });
    const { pid } = await releaseInCallback(pool, (client, callback) => {
      client.query('select 1/0', callback);
    });
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, idleConns: 0, totalConns: 1 });
    expect(await backendPid(pool)).not.toBe(pid);
    expect(pool.log.closeReasons).toEqual(['busy']);
  });

  test('is handed to a waiting acquire as soon as it is ready', async () => {
    const pool = await makePool(proxy(), { maxOpenConns: 1 });
    await pool.query('select 1');
    proxy().set({ messageDelayMs: (type) => (type === 'Z' ? 60 : 0) });
    const { pid } = await releaseInCallback(pool, (client, callback) => {
      client.query('select 1/0', callback);
    });
    const client = await pool.connect();
    expect((client as unknown as { processID: number }).processID).toBe(pid);
    client.release();
  });
});

/** Sends all of these queries on a client and releases it without awaiting anything. */
async function releaseUnawaited(
  pool: InstrumentedPool,
  texts: readonly string[],
): Promise<PromiseSettledResult<pg.QueryResult>[]> {
  const client = await pool.connect();
  const asked = texts.map((text) => client.query(text));
  client.release();
  return Promise.allSettled(asked);
}

describe('a client released before its queries have been answered', () => {
  test('runs all of them: a COMMIT that is not awaited commits', async () => {
    await server().query('create table accepted (id int)');
    const pool = await makePool(server(), { maxOpenConns: 3 });
    const runs = Array.from({ length: 100 }, (_, id) =>
      releaseUnawaited(pool, ['begin', `insert into accepted values (${id})`, 'commit']),
    );
    for (const outcome of (await Promise.all(runs)).flat()) expect(outcome.status).toBe('fulfilled');
    expect((await pool.query('select count(*)::int as rows from accepted')).rows).toEqual([{ rows: 100 }]);
    expect([pool.log.closeReasons, pool.totalCount]).toEqual([[], 3]);
  });

  test.each([
    ['a single query', ['select 1']],
    ['a prepared statement', ['prepare p as select 1']],
    ['a ROLLBACK', ['begin', 'select 1', 'rollback']],
    ['a failing query', ['select 1/0']],
    ['a failing query with more behind it', ['select 1/0', 'select 1']],
  ])('is kept after %s', async (_what, texts) => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const before = await backendPid(pool);
    await releaseUnawaited(pool, texts);
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('is checked after the last query: a transaction left open is rolled back', async () => {
    await server().query('create table unended (id int)');
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const outcomes = await releaseUnawaited(pool, ['begin', 'insert into unended values (1)']);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect((await pool.query('select * from unended')).rows).toEqual([]);
    expect(pool.log.closeReasons).toEqual(['tx_open']);
  });

  test('counts as used until then and is not handed out', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const running = client.query('select pg_sleep(0.2)');
    client.release();
    expect(pool.stat()).toMatchObject({ acquiredConns: 1, idleConns: 0, totalConns: 1 });
    let done = false;
    void running.then(() => (done = true));
    await pool.query('select 1');
    expect(done).toBe(true);
  });

  test('is destroyed when the queries take more than a second, and each promise reports its outcome', async () => {
    await server().query('create table slowly (id int)');
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const outcomes = await releaseUnawaited(pool, [
      'insert into slowly values (1)',
      'select pg_sleep(20)',
      'insert into slowly values (2)',
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    for (const outcome of outcomes.slice(1)) {
      expect((outcome as PromiseRejectedResult).reason).toMatchObject({
        message: expect.stringMatching(/^Connection terminated/) as string,
      });
    }
    expect((await pool.query('select id from slowly')).rows).toEqual([{ id: 1 }]);
    expect(pool.log.closeReasons).toEqual(['busy']);
    expect(pool.log.named('postgres client released while a query was running')).toMatchObject([
      { level: 'warn', fields: { reason: 'busy' } },
    ]);
    expect(pool.log.named('postgres connection lost')).toEqual([]);
  });

  test('with a cursor left open is destroyed at once, which frees its slot', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const cursor = client.query(new OpenCursor('select * from generate_series(1, 100)'));
    await cursor.suspended;
    client.release();
    expect(pool.totalCount).toBe(0);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.log.closeReasons).toEqual(['busy']);
  });

  test('with a cursor that is being closed is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    const cursor = client.query(new Cursor('select * from generate_series(1, 100)'));
    await cursor.read(1);
    const closed = cursor.close();
    client.release();
    await closed;
    expect(await backendPid(pool)).toBe(before);
  });

  test('with a COPY whose last byte was written completes it and is kept', async () => {
    await server().query('create table copied (id int)');
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    client.query(copyFrom('copy copied from stdin')).end('1\n2\n');
    client.release();
    expect(await backendPid(pool)).toBe(before);
    expect((await pool.query('select count(*)::int as rows from copied')).rows).toEqual([{ rows: 2 }]);
  });
});

describe('a release listener that runs a query', () => {
  test('gets its query run before the connection is reused, and the connection is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    pool.on('release', (_error: unknown, client: pg.PoolClient) => void client.query('reset all'));
    for (let run = 0; run < 20; run += 1) {
      const client = await pool.connect();
      await client.query("set application_name = 'mine'");
      client.release();
    }
    const { rows } = await pool.query('show application_name');
    expect(rows).toEqual([{ application_name: '' }]);
    expect([pool.stat().newConnsCount, pool.log.closeReasons]).toEqual([1, []]);
  });
});

describe('a client released in a callback with another query queued on it', () => {
  test('that begins a transaction is never handed to the next caller', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    const next = new Promise<pg.PoolClient>((resolve, reject) => {
      client.query('select 1', () => {
        client.release();
        pool.connect().then(resolve, reject);
      });
    });
    const began = client.query('begin');
    const second = await next;
    expect(await backendPid(second)).not.toBe(before);
    expect((second as unknown as { getTransactionStatus(): string }).getTransactionStatus()).toBe('I');
    expect((await began).command).toBe('BEGIN');
    second.release();
    expect(pool.log.closeReasons).toEqual(['tx_open']);
  });

  test('that begins no transaction is kept, and handed out after that query has run', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    const story: string[] = [];
    client.query('select 1', () => client.release());
    client.query('select 2', () => story.push('queued'));
    const pid = await backendPid(pool).then((next) => {
      story.push('next');
      return next;
    });
    expect(pid).toBe(before);
    expect(story).toEqual(['queued', 'next']);
  });
});

describe('a query object', () => {
  test('passed to a client runs to its end, and the client is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    const client = await pool.connect();
    const before = await backendPid(client);
    const query = client.query(new pg.Query('select generate_series(1, 3) as n'));
    const rows: unknown[] = [];
    query.on('row', (row) => rows.push(row));
    await new Promise((resolve) => query.on('end', resolve));
    client.release();
    expect(rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(await backendPid(pool)).toBe(before);
  });
});

describe('a query that the driver refuses before it sends anything', () => {
  // A new query each time, because the lowest driver writes its callback into the object it is given.
  const REFUSED: [string, () => object][] = [
    ['values that are not an array', () => ({ text: 'select $1', values: 'one' })],
    ['a name with another text', () => ({ name: 'same', text: 'select 2' })],
    ['a value that cannot be serialised', () => ({ text: 'select $1', values: [unwritable()] })],
    ['neither text nor name', () => ({})],
  ];

  test.each(REFUSED)('with %s neither hangs nor breaks the pool', async (_name, make) => {
    const query = (): pg.QueryConfig => make() as pg.QueryConfig;
    const pool = await makePool(server(), { maxOpenConns: 1 }, { acquireTimeoutMs: 5_000 });
    await pool.query({ name: 'same', text: 'select 1' });
    await rejection(pool.query(query()));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await pool.query({ name: 'same', text: 'select 1' });
    const error = await new Promise((resolve) => pool.query(query(), resolve));
    expect(error).toBeInstanceOf(Error);
    expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    const client = await pool.connect();
    await client.query({ name: 'same', text: 'select 1' });
    await rejection(client.query(query()));
    client.release();
    expect((await pool.query('select 3 as three')).rows).toEqual([{ three: 3 }]);
    await pool.query({ name: 'same', text: 'select 1' });
    await releaseInCallback(pool, (other, callback) => other.query(query(), callback));
    expect((await pool.query('select 4 as four')).rows).toEqual([{ four: 4 }]);
  });
});

describe('a server that has become read-only', () => {
  test('has its connection closed after the failed write, by pool.query and by a client', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    await pool.query('set default_transaction_read_only = on');
    expect((await rejection(pool.query('create table never (id int)'))).code).toBe('25006');
    expect((await pool.query('show default_transaction_read_only')).rows).toEqual([
      { default_transaction_read_only: 'off' },
    ]);
    const client = await pool.connect();
    await client.query('set default_transaction_read_only = on');
    await rejection(client.query('create table never (id int)'));
    client.release();
    await until('it is judged', () => pool.log.closeReasons.length === 2);
    expect(pool.log.closeReasons).toEqual(['read_only', 'read_only']);
    await pool.query('create table written (id int)');
  });
});

describe('a connect listener that queues a query', () => {
  test('gets its query run first, and the connection is not replaced', async () => {
    const pool = await makePool(server(), { maxOpenConns: 2, minConns: 2 });
    pool.on('connect', (client: pg.PoolClient) => void client.query("set application_name = 'listened'"));
    await until('the pool is warm', () => pool.idleCount === 2);
    expect(pool.stat().newConnsCount).toBe(2);
    expect((await pool.query('show application_name')).rows).toEqual([{ application_name: 'listened' }]);
    pool.reset();
    const client = await pool.connect();
    expect((await client.query('show application_name')).rows).toEqual([{ application_name: 'listened' }]);
    client.release();
    expect(pool.log.closeReasons.filter((reason) => reason === 'busy')).toEqual([]);
  });

  test('does not cost a connection when the client is released at once', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    pool.on('connect', (client: pg.PoolClient) => void client.query("set application_name = 'listened'"));
    (await pool.connect()).release();
    expect((await pool.query('show application_name')).rows).toEqual([{ application_name: 'listened' }]);
    expect(pool.stat().newConnsCount).toBe(1);
  });

  test('that leaves a transaction open has its connection destroyed and counted', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    pool.once('connect', (client: pg.PoolClient) => void client.query('begin'));
    (await pool.connect()).release();
    await pool.query('select 1');
    expect(pool.log.closeReasons).toEqual(['tx_open']);
  });

  test('that fails does not break the pool', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 });
    pool.on('connect', (client: pg.PoolClient) => void client.query('select 1/0').catch(() => undefined));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.stat().newConnsCount).toBe(1);
  });
});

function unwritable(): object {
  return {
    toPostgres(): never {
      throw new Error('cannot be written');
    },
  };
}
