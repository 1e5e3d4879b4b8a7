import { describeEveryClient } from './every-client.js';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import QueryStream from 'pg-query-stream';
import { expect, test } from 'vitest';
import { backendPid, usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const server = usePostgres();
const makePool = usePools(server);

const MANY = 'select n from generate_series(1, 1000) n';
const FAILS = 'select 1 / (500 - n) as n from generate_series(1, 1000) n';

const devNull = (): Writable => new Writable({ objectMode: true, write: (_row, _encoding, done) => done() });

describeEveryClient((options) => {
  test('a stream read whole leaves its connection to the next user', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    expect(await client.query(new QueryStream(MANY)).toArray()).toHaveLength(1000);
    client.release();
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a stream destroyed half way leaves its connection to the next user once it has closed', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const stream = client.query(new QueryStream(MANY, [], { batchSize: 10 }));
    await once(stream, 'data');
    stream.destroy();
    await once(stream, 'close');
    client.release();
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a stream destroyed half way whose client is released before it has closed keeps its connection', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const stream = client.query(new QueryStream(MANY, [], { batchSize: 10 }));
    await once(stream, 'data');
    stream.destroy();
    const after = client.query('select 1 as one');
    client.release();
    expect((await after).rows).toEqual([{ one: 1 }]);
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a stream whose query fails half way rejects its pipeline, and its connection is kept', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const client = await pool.connect();
    const before = await backendPid(client);
    const reading = pipeline(client.query(new QueryStream(FAILS, [], { batchSize: 10 })), devNull());
    expect((await rejection(reading)).code).toBe('22012');
    client.release();
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });

  test('a stream passed to pool.query releases its client itself, read whole or destroyed half way', async () => {
    const pool = await makePool(server(), { maxOpenConns: 1 }, options);
    const before = await backendPid(pool);
    const whole = new QueryStream(MANY);
    pool.query(whole);
    expect(await whole.toArray()).toHaveLength(1000);
    const half = new QueryStream(MANY, [], { batchSize: 10 });
    pool.query(half);
    await once(half, 'data');
    expect(pool.stat()).toMatchObject({ acquiredConns: 1 });
    half.destroy();
    await until('its client is back', () => pool.idleCount === 1);
    expect(await backendPid(pool)).toBe(before);
    expect(pool.log.closeReasons).toEqual([]);
  });
});
