import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { RecordingLogger } from '../../support/logger.js';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

describe('a slow query', () => {
  test('is logged once a minute for each summary, without a literal', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { slowQueryMs: 100 });
    const pid = await backendPid(pool);
    for (const secret of ['first', 'second']) {
      await pool.query(`select pg_sleep(0.2), '${secret}' as secret from pg_tables limit 2`);
    }
    await pool.query('select 1');
    const records = pool.log.named('postgres slow query');
    expect(records).toMatchObject([{ level: 'warn', fields: { summary: 'select pg_tables', rows: 2, pid } }]);
    expect(JSON.stringify(records)).not.toMatch(/first|second/);
  });

  test('that fails is logged with its error', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, { slowQueryMs: 50 });
    await pool.query('select 1');
    const failing = rejection(pool.query('select pg_sleep(0.1), 1/(random()*0)::int'));
    expect((await failing).code).toBe('22012');
    expect(pool.log.named('postgres slow query')).toMatchObject([{ fields: { error_type: '22012' } }]);
  });
});

describe('a query that is stopped', () => {
  test('is logged and counted with any options, in the async context of its caller', async () => {
    const store = new AsyncLocalStorage<string>();
    const log = new RecordingLogger();
    const seen: unknown[] = [];
    const logger = {
      debug: log.debug.bind(log),
      info: log.info.bind(log),
      warn: (fields: object, message: string) => {
        seen.push([message, store.getStore()]);
        log.warn(fields, message);
      },
    };
    const pool = await makePool(server(), { maxOpenConns: 2 }, { logger });
    const controller = new AbortController();
    const { signal } = controller;
    const slow = (name: string): Promise<Error> =>
      store.run(name, () => rejection(pool.query({ text: `select pg_sleep(60) from ${name}`, signal })));
    await pool.query(
      'create table one (n int); insert into one values (1); create table two as select * from one',
    );
    const stopped = [slow('one'), slow('two')];
    setTimeout(() => controller.abort(new Error('enough')), 300);
    await Promise.all(stopped);
    expect(seen).toEqual([
      ['postgres query canceled', 'one'],
      ['postgres query canceled', 'two'],
    ]);
    expect(log.named('postgres query canceled')).toMatchObject([
      { fields: { error_type: 'query_aborted', summary: 'select one' } },
      { fields: { error_type: 'query_aborted', summary: 'select two' } },
    ]);
  });
});

describe('a query measured by an instrumentation that wraps the driver', () => {
  const { query } = pg.Client.prototype;
  afterEach(() => {
    pg.Client.prototype.query = query;
  });

  test.each([
    ['still sees the queries of a pool that only logs slow ones', { slowQueryMs: 1_000 }, 1],
    ['does not see those of a pool that measures its own', { queryTelemetry: true }, 0],
  ])('%s', async (_what, options, calls) => {
    let seen = 0;
    const wrapped = function (this: pg.Client, ...args: unknown[]): unknown {
      seen += 1;
      return (query as (...args: unknown[]) => unknown).apply(this, args);
    };
    pg.Client.prototype.query = Object.assign(wrapped, { __original: query }) as unknown as typeof query;
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    await pool.query('select 1');
    expect(seen).toBe(calls);
  });
});
