// Compiled by every TypeScript, as an ES module and as CommonJS, against the package's declarations.
import { metrics } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';
import {
  AcquireTimeoutError,
  defineConfig,
  newDynamicAuthFunc,
  newPool,
  startPoolStatsLogger,
  type Config,
  type InstrumentedPool,
  type PoolOptions,
  type PoolStat,
} from '../../src/index.js';

const config: Config = defineConfig({
  host: 'db.example',
  port: 5432,
  user: 'app',
  database: 'orders',
  dynamicAuth: { awsRdsIam: { region: 'detect' } },
});

// @ts-expect-error: the declarations were understood, and are no `any`
defineConfig({ host: 'db.example', port: '5432', user: 'app', database: 'orders' });

/** Uses the exports as an application would. */
export async function main(): Promise<number> {
  const options: PoolOptions = {
    meter: metrics.getMeter('orders'),
    afterConnect: async (client) => {
      await client.query("set time zone 'utc'");
    },
  };
  const pool: InstrumentedPool = await newPool(config, options);
  // Tools that take a `pg.Pool` require this.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const asDriver: Pool = pool;
  const client: PoolClient = await pool.connect({ timeoutMs: 1_000 });
  const { rows } = await client.query<{ n: number }>('select 1 as n');
  client.release();
  // @ts-expect-error: nor is the pool
  // eslint-disable-next-line @typescript-eslint/no-unsafe-call
  pool.acquire();

  const { dynamicAuth, ...rest } = config;
  const auth = await newDynamicAuthFunc({ ...rest, dynamicAuth }, config.user);
  const second = await newPool(rest, {
    beforeConnect: async (target, context) => {
      target.host = 'writer.example';
      await auth(target, context);
    },
  });
  const logging = startPoolStatsLogger(second, { intervalMs: 10_000 });
  pool.on('error', (error) => {
    if (error instanceof AcquireTimeoutError) throw new Error(error.code);
  });
  const stat: PoolStat = pool.stat();
  logging[Symbol.dispose]();
  await asDriver.end();
  return stat.totalConns + (rows[0]?.n ?? 0);
}
