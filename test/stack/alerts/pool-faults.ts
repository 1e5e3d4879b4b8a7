import { until } from '../../support/until.js';
import { SERVICE, type Stack } from '../stack.js';
import { ofPool, type AlertFault } from './fault.js';

const ARRIVAL_MS = 60_000;

// A lifetime longer than the run, for faults that connection churn would only obscure.
const LASTING = { maxLifetimeS: 3_600 };

/** Faults that each affect one application, so that they can run at the same time. */
export const POOL_FAULTS: readonly AlertFault[] = [
  {
    what: 'more requests than connections, each slow',
    async inject(stack) {
      const pool = 'exhausted';
      const app = await stack.startApp({ ...LASTING, pool, maxConns: 3 });
      await seen(stack, pool);
      await app.load({ clients: 20, holdMs: 3_000 });
      return {
        expected: ofPool(
          pool,
          ...['PgaugePoolExhausted', 'PgaugePoolSaturated', 'PgaugeAcquireTimeouts'],
          ...['PgaugeAcquireSloFastBurn', 'PgaugeAcquireSloSlowBurn'],
        ),
        end: () => app.load({ clients: 2, holdMs: 0 }),
      };
    },
  },
  {
    what: 'more requests than connections and places in the queue',
    async inject(stack) {
      const pool = 'rejecting';
      const app = await stack.startApp({ ...LASTING, pool, maxConns: 2, maxPending: 2 });
      await app.load({ clients: 10, holdMs: 500 });
      return {
        expected: ofPool(pool, 'PgaugeAcquiresRejected'),
        end: () => app.load({ clients: 2, holdMs: 0 }),
      };
    },
  },
  {
    what: 'most requests send a query that fails',
    async inject(stack) {
      const pool = 'failing';
      const app = await stack.startApp({ ...LASTING, pool, clients: 3 });
      await app.load({ failing: 0.9 });
      return { expected: ofPool(pool, 'PgaugeQueryErrorRatio'), end: () => app.load({ failing: 0 }) };
    },
  },
  {
    what: 'queries that take about a second',
    async inject(stack) {
      const pool = 'slow-queries';
      const app = await stack.startApp({ ...LASTING, pool });
      await app.load({ queryMs: 1_200 });
      return {
        expected: ofPool(pool, 'PgaugeQuerySloBurn').flatMap((alert) =>
          ['critical', 'warning'].map((severity) => ({ ...alert, labels: { ...alert.labels, severity } })),
        ),
        end: () => app.load({ queryMs: 5 }),
      };
    },
  },
  {
    what: 'a client that is not released',
    async inject(stack) {
      const pool = 'leaking';
      const app = await stack.startApp({ ...LASTING, pool, clients: 1 });
      await app.load({ leak: 1 });
      return { expected: ofPool(pool, 'PgaugeLongestCheckout'), end: () => app.load({ leak: 0 }) };
    },
  },
  {
    what: 'every connection closed after one request',
    async inject(stack) {
      const pool = 'churning';
      const app = await stack.startApp({ ...LASTING, pool, clients: 3 });
      await app.load({ discard: 1, thinkMs: 100 });
      return { expected: ofPool(pool, 'PgaugeConnectionChurn'), end: () => app.load({ discard: 0 }) };
    },
  },
  {
    what: 'a process that vanishes without a word',
    async inject(stack) {
      const pool = 'vanished';
      const app = await stack.startApp({ ...LASTING, pool, clients: 1 });
      await seen(stack, pool);
      app.process.signal('SIGKILL');
      return {
        expected: ofPool(pool, 'PgaugeTelemetryAbsent'),
        end: () => stack.startApp({ ...LASTING, pool, clients: 1 }),
      };
    },
  },
];

/** Waits until Prometheus has scraped a pool a few times: it cannot miss a pool that it never saw. */
async function seen({ prometheus: { api }, scale }: Stack, pool: string): Promise<void> {
  const selector = `pgauge_pool_info{job="${SERVICE}",db_client_connection_pool_name="${pool}"}`;
  await until(
    `metrics of pool ${pool}`,
    async () => ((await api.number(`max(count_over_time(${selector}[${scale.lookbackMs}ms]))`)) ?? 0) >= 3,
    ARRIVAL_MS,
  );
}
