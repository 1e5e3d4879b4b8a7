import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import { newPool } from 'pgauge';
import { config } from '../config.js';

const JOBS = 100;
const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
// Without this listener, Graphile Worker warns; the pool itself does not need one.
pool.on('error', () => undefined);
const common = { pgPool: pool, logger: new Logger(() => () => undefined) };
await runMigrations(common);
const utils = await makeWorkerUtils(common);
await Promise.all(Array.from({ length: JOBS }, (_, n) => utils.addJob('visit', { n })));

const done = new Set<number>();
let kills = 0;

const runner = await run({
  ...common,
  concurrency: 4,
  pollInterval: 200,
  noHandleSignals: true,
  taskList: {
    visit: async (payload, { withPgClient, job }) => {
      const { n } = payload as { n: number };
      if (n % 10 === 0 && job.attempts === 1) {
        kills++;
        // Ends the job's own session; the job is run again some seconds later.
        await withPgClient((client) => client.query('select pg_terminate_backend(pg_backend_pid())'));
      }
      await withPgClient((client) => client.query('select pg_sleep(0.01)'));
      done.add(n);
      if (n === JOBS / 2) await killListener();
    },
  },
});

/** Terminates the session on which the runner listens for jobs. */
async function killListener() {
  const { rowCount } = await pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and query ilike 'listen%'",
  );
  kills += rowCount ?? 0;
}

async function jobsLeft(): Promise<number> {
  const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from graphile_worker.jobs');
  return rows[0]?.n ?? 0;
}
while ((await jobsLeft()) > 0) await new Promise((resolve) => setTimeout(resolve, 100));
await runner.stop();
await utils.release();
console.log(JSON.stringify({ done: done.size, kills, stat: pool.stat() }));
await pool.end();
