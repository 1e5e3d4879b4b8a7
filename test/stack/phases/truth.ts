import type { Truth } from '../../../examples/load/truth.js';
import { sessionsOf } from '../../support/sessions.js';
import { until } from '../../support/until.js';
import { panelQueries, readDashboard, withVariables } from '../../support/dashboard-queries.js';
import type { Phase } from '../phase.js';
import type { LoadApp } from '../servers/load-app.js';
import { SERVICE, type Stack } from '../stack.js';
import type { Table } from '../table.js';
import { shortenQuery } from '../time/shorten.js';

const SETTLE_MS = 30_000;
const SIZE = 4;
const WAITERS = 3;
// The application creates its table before it starts counting.
const SCHEMA_ACQUIRES = 1;
const SCHEMA_QUERIES = 1;
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** The application's names for the errors of stopped queries. */
const STOPPED = { timeout: 'ERR_PGAUGE_QUERY_TIMEOUT', aborted: '"the caller gave up"' };

/** A number from the dashboards or Prometheus, and the same number from another source. */
interface Comparison {
  readonly what: string;
  readonly query: string;
  readonly truth: (truth: Truth) => number | Promise<number>;
}

/**
 * At any moment, Prometheus and the dashboards show the numbers that the pool, the server and the application report.
 */
export const truth: Phase = {
  name: 'truth',
  shows: 'Prometheus and the dashboards show what the pool, the server and the application report',
  async run(stack, table) {
    const pool = 'truth';
    // The acquire timeout is longer than a comparison takes, and connections outlive the run.
    const app = await stack.startApp({ pool, maxConns: SIZE, maxLifetimeS: 3_600, acquireTimeoutS: 60 });
    try {
      await app.load({ clients: 0 });
      await compare(stack, table, app, 'idle');

      await app.load({ leak: 2 });
      await compare(stack, table, app, 'two held');

      await app.load({ leak: SIZE, clients: WAITERS });
      await until('waiting requests', async () => (await app.stat()).waiting === WAITERS, SETTLE_MS);
      await compare(stack, table, app, 'all held, requests waiting');

      const disturbed = { discard: 0.2, failing: 0.1, timingOut: 0.05, aborting: 0.05 };
      await app.load({ leak: 0, clients: 8, ...disturbed });
      await until('some work', async () => (await app.stat()).work.acquires > 200, SETTLE_MS);
      await app.load({ clients: 0 });
      await until('quiet', async () => (await app.stat()).stat.acquiredConns === 0, SETTLE_MS);
      await compare(stack, table, app, 'after load, churn, failing and stopped queries');
    } finally {
      await app.load({ clients: 0, leak: 0 });
      await app.stop();
    }
  },
};

async function compare(stack: Stack, table: Table, app: LoadApp, state: string): Promise<void> {
  for (const { what, query, truth } of comparisons(stack, app)) {
    // The last export may still be on its way, and so may a release.
    let [expected, seen] = [NaN, undefined as number | undefined];
    const agree = async (): Promise<boolean> => {
      expected = await truth(await app.stat());
      seen = await stack.prometheus.api.number(query);
      return seen === expected;
    };
    await until(what, agree, SETTLE_MS).catch(() => undefined);
    table.equal(`${state}: ${what}`, expected, seen ?? 'no data');
  }
}

function comparisons({ rds, scale }: Stack, app: LoadApp): Comparison[] {
  const own = `job="${SERVICE}",instance="${app.instance}",db_client_connection_pool_name="${app.pool}"`;
  const state = (name: string): string =>
    `sum(db_client_connection_count{${own},db_client_connection_state="${name}"})`;
  const panel = (title: string, refId: string): string => panelQuery(title, refId, app, scale.factor);
  return [
    { what: 'used, as stat() has it', query: state('used'), truth: ({ stat }) => stat.acquiredConns },
    { what: 'idle, as stat() has it', query: state('idle'), truth: ({ stat }) => stat.idleConns },
    {
      what: 'connecting, as stat() has it',
      query: state('connecting'),
      truth: ({ stat }) => stat.constructingConns,
    },
    {
      what: 'all connections, as pg_stat_activity has them',
      query: `sum(db_client_connection_count{${own}})`,
      truth: () => sessionsOf(rds.postgres, app.pool),
    },
    {
      what: 'panel "Waiting now", as `waitingCount`',
      query: panel('Waiting now', 'A'),
      truth: ({ waiting }) => waiting,
    },
    {
      what: 'panel "Connections against the limit", limit',
      query: panel('Connections against the limit', 'B'),
      truth: ({ stat }) => stat.maxConns,
    },
    {
      what: 'panel "Utilization by instance", used of the limit',
      query: panel('Utilization by instance', 'A'),
      truth: ({ stat }) => stat.acquiredConns / stat.maxConns,
    },
    {
      what: 'waits recorded, as `acquire` events',
      query: `sum(db_client_connection_wait_time_seconds_count{${own},error_type=""})`,
      truth: ({ events }) => events.acquire,
    },
    {
      what: 'waits recorded, as connections that the application counted',
      query: `sum(db_client_connection_wait_time_seconds_count{${own},error_type=""})`,
      truth: ({ work }) => work.acquires + SCHEMA_ACQUIRES,
    },
    {
      what: 'connections opened, as `connect` events',
      query: `sum(pgauge_connection_opened_total{${own}})`,
      truth: ({ events }) => events.connect,
    },
    {
      what: 'connections closed, as `remove` events',
      query: `sum(pgauge_connection_closed_total{${own}})`,
      truth: ({ events }) => events.remove,
    },
    {
      what: 'acquire timeouts',
      query: `sum(db_client_connection_timeouts_total{${own}})`,
      truth: ({ stat }) => stat.canceledAcquireCount,
    },
    {
      what: 'queries that succeeded, as the application counted them',
      query: `sum(db_client_operation_duration_seconds_count{${own},error_type=""})`,
      // Each connection first sets its statement limit, which counts as a query.
      truth: ({ work, events }) => work.queries + SCHEMA_QUERIES + events.connect,
    },
    {
      what: 'queries that failed, as the application counted them',
      query: `sum(db_client_operation_duration_seconds_count{${own},error_type!=""}) or vector(0)`,
      truth: ({ work }) => Object.values(work.errors).reduce((sum, count) => sum + count, 0),
    },
    {
      what: 'queries that failed for the server, as the application counted their SQLSTATEs',
      query: `sum(db_client_operation_duration_seconds_count{${own},db_response_status_code!=""}) or vector(0)`,
      truth: ({ work }) =>
        Object.entries(work.errors).reduce(
          (sum, [code, count]) => sum + (SQLSTATE.test(code) ? count : 0),
          0,
        ),
    },
    ...Object.entries(STOPPED).map(([reason, code]) => ({
      what: `queries that were stopped, ${reason}, as the application saw them reject`,
      query: `sum(pgauge_query_canceled_total{${own},pgauge_query_cancel_reason="${reason}"})`,
      truth: ({ work }: Truth) => work.errors[code] ?? 0,
    })),
  ];
}

/** A panel's query, with the dashboard's variables set to one application. */
function panelQuery(title: string, refId: string, { instance, pool }: LoadApp, factor: number): string {
  const found = panelQueries(readDashboard('pgauge-pool')).find(
    (query) => query.panelTitle === title && query.refId === refId,
  );
  if (!found) throw new Error(`no panel ${title} with a query ${refId}`);
  const values = { job: SERVICE, instance, pool, interval: '15s', rateInterval: '1m', rangeS: 1_800 };
  return shortenQuery(withVariables(found.expr, values), factor);
}
