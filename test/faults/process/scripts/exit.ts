import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPoolStatsLogger } from '../../../../src/index.js';
import { childPool, say } from '../../../support/scripts/child-pool.js';

const hang = (): Promise<void> => new Promise(() => undefined);
const code = (error: unknown): string => (error as { code: string }).code;

const SCENARIOS: Record<string, () => Promise<void>> = {
  async end() {
    const pool = await childPool({ minConns: 2 }, { statsLog: true });
    const client = await pool.connect();
    await Promise.all([client.query('select 1'), pool.query('select 1')]);
    client.release();
    await pool.end();
    say('ended');
  },

  async forgotten() {
    const pool = await childPool();
    await Promise.all(Array.from({ length: 3 }, () => pool.query('select 1')));
    const client = await pool.connect();
    await client.query('select 1');
    client.release();
    say('done');
  },

  async 'forgotten-dialed'() {
    const pool = await childPool({}, { dial: ({ host, port }) => connect(port, host) });
    await Promise.all(Array.from({ length: 3 }, () => pool.query('select 1')));
    say('done');
  },

  async 'forgotten-upkeep'() {
    const pool = await childPool(
      { minConns: 2 },
      { statsLog: { intervalMs: 20 }, healthCheckPeriodMs: 20, leakDetectionMs: 60_000 },
    );
    startPoolStatsLogger(pool, { intervalMs: 30 });
    await pool.query('select 1');
    while (pool.idleCount < 2) await sleep(10);
    say('done');
  },

  async 'forgotten-outage'() {
    const pool = await childPool({ minConns: 1 });
    await pool.query('select 1').catch((error: unknown) => say(code(error)));
  },

  async silent() {
    const pool = await childPool();
    await Promise.all(Array.from({ length: 3 }, () => pool.query('select 1')));
    say('idle');
    await sleep(300);
    await pool.end();
    say('ended');
  },

  async 'hanging-hook'() {
    const pool = await childPool({}, { beforeConnect: hang, connectTimeoutMs: 300 });
    await pool.connect().catch((error: unknown) => say(code(error)));
    await pool.end();
    say('ended');
  },

  async waiting() {
    const pool = await childPool({}, { beforeConnect: hang, connectTimeoutMs: 60_000 });
    await pool.connect({ timeoutMs: 300 }).catch((error: unknown) => say(code(error)));
    await pool.end();
    say('ended');
  },

  async stale() {
    const pool = await childPool({ maxOpenConns: 1 });
    await pool.query('select 1');
    say('idle');
    await sleep(1_200);
    const { rows } = await pool.query<{ n: number }>('select 2 as n');
    say(`answer ${rows[0]?.n}`);
  },

  async busy() {
    const pool = await childPool({ minConns: 2 });
    pool.on('acquire', () => say('busy'));
    await pool.query('select pg_sleep(60)');
  },

  async signals() {
    const pool = await childPool({ minConns: 1 });
    await pool.query('select 1');
    say(`${process.listenerCount('SIGTERM')} ${process.listenerCount('SIGINT')}`);
  },
};

await SCENARIOS[process.argv[2] ?? '']?.();
