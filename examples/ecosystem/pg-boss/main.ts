import PgBoss from 'pg-boss';
import { newPool } from 'pgauge';
import { config } from '../config.js';

const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
const boss = new PgBoss({ db: { executeSql: (sql, values) => pool.query(sql, values) } });
boss.on('error', console.error);
await boss.start();
await boss.createQueue('welcome');

/** Opens an account and queues its welcome job, in one transaction. */
async function open(owner: string, balance: number) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const db = { executeSql: (sql: string, values: unknown[]) => client.query(sql, values) };
    await boss.send('welcome', { owner }, { db });
    await client.query('insert into account values ($1, $2)', [owner, balance]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

await Promise.all(['cy', 'dee', 'eve'].map((owner) => open(owner, 10)));
// A balance cannot be negative: PostgreSQL rejects the account, so the job is rolled back, too.
const refused = await open('fay', -1).then(
  () => undefined,
  (error: unknown) => (error as { code?: string }).code,
);

const welcomed: string[] = [];
await new Promise<void>((resolve) => {
  void boss.work<{ owner: string }>(
    'welcome',
    { batchSize: 10, pollingIntervalSeconds: 0.5 },
    async (jobs) => {
      for (const { data } of jobs) {
        await pool.query('update account set balance = balance + 5 where owner = $1', [data.owner]);
        welcomed.push(data.owner);
      }
      if (welcomed.length >= 3) resolve();
    },
  );
});
// Lets the worker complete its jobs; does not end the pool, which was passed to it.
await boss.stop();
console.log(JSON.stringify({ welcomed: welcomed.sort(), refused, stat: pool.stat() }));
await pool.end();
