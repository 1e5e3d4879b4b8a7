import { inspect } from 'node:util';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newPool } from '../../../src/index.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePools } from '../../support/pools.js';
import { useLocalRds, usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const server = usePostgres();
const rds = useLocalRds();
const makePool = usePools(server);

/** Everything that printing a value may show, hidden members included. */
function allThatShows(value: unknown): string {
  return inspect(value, { depth: 12, showHidden: true, maxArrayLength: null });
}

function asJson(value: unknown): string {
  const seen = new WeakSet();
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'bigint') return String(member);
    if (typeof member !== 'object' || member === null) return member;
    if (seen.has(member)) return undefined;
    seen.add(member);
    return member;
  });
}

describe('a static password', () => {
  test('does not appear in printed pools, options, clients or log records', async () => {
    const pool = await makePool(server());
    const client = await pool.connect();
    const { secretKey } = client as unknown as { secretKey: number };
    for (const value of [pool, pool.options, client]) {
      expect(allThatShows(value)).not.toContain(server().password);
      expect(asJson(value)).not.toContain(server().password);
    }
    expect(inspect(client, { depth: 12 })).not.toContain(String(secretKey));
    expect(asJson(client)).not.toContain(String(secretKey));
    expect(asJson(pool.log.records)).not.toContain(server().password);
    client.release();
  });

  test('does not appear in any error', async () => {
    const pool = await makePool(server(), { database: 'missing' });
    const error = await rejection(pool.connect());
    expect(error.code).toBe('3D000');
    expect(allThatShows(error)).not.toContain(server().password);
  });

  test('is a non-enumerable function in pool.options, with which a second pool logs in', async () => {
    const pool = await makePool(server());
    expect(Object.keys(pool.options)).not.toContain('password');
    expect(typeof pool.options.password).toBe('function');
    const second = new pg.Pool(pool.options);
    try {
      const { rows } = await second.query('select current_user as me, current_database() as db');
      expect(rows).toEqual([{ me: server().user, db: server().database }]);
    } finally {
      await second.end();
    }
  });
});

describe("pool.options, under pg's names,", () => {
  test('have the settings in use', async () => {
    const pool = await makePool(
      server(),
      { maxOpenConns: 4, minConns: 1, connMaxLifetimeMs: 60_000 },
      {
        acquireTimeoutMs: 1_234,
        idleTimeoutMs: 5_678,
        maxUses: 9,
        pg: { application_name: 'named', statement_timeout: 4_000 },
      },
    );
    const { host, port, user, database } = server();
    expect(pool.options).toMatchObject({
      ...{ host, port, user, database, ssl: false },
      ...{ max: 4, min: 1, maxUses: 9, maxLifetimeSeconds: 60 },
      ...{ connectionTimeoutMillis: 1_234, idleTimeoutMillis: 5_678, allowExitOnIdle: true },
      ...{ application_name: 'named', statement_timeout: 4_000 },
    });
    const { rows } = await pool.query(
      "select current_setting('application_name') as name, current_setting('statement_timeout') as timeout",
    );
    expect(rows).toEqual([{ name: 'named', timeout: '4s' }]);
  });
});

describe('a token', () => {
  beforeEach(() => {
    for (const [name, value] of Object.entries(rds().awsEnv)) vi.stubEnv(name, value);
  });
  afterEach(() => vi.unstubAllEnvs());

  test('is signed anew for a second pool created from pool.options, and appears nowhere', async () => {
    const { host, port, user, database, region, caPem } = rds();
    const log = new RecordingLogger();
    const pool = await newPool(
      { host, port, user, database, sslMode: 'verify-full', dynamicAuth: { awsRdsIam: { region } } },
      { logger: log, ssl: { ca: caPem } },
    );
    const second = new pg.Pool(pool.options);
    try {
      const client = await pool.connect();
      for (const value of [pool, pool.options, client, log.records]) {
        expect(allThatShows(value)).not.toContain('X-Amz-Signature');
        expect(asJson(value)).not.toContain('X-Amz-Signature');
      }
      client.release();
      const before = rds().gate.stats();
      expect((await second.query('select current_user as me')).rows).toEqual([{ me: user }]);
      const after = rds().gate.stats();
      expect(after.connections - before.connections).toBe(1);
    } finally {
      await Promise.all([pool.end(), second.end()]);
    }
  });
});
