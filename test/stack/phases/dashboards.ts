import { setTimeout as sleep } from 'node:timers/promises';
import { DASHBOARDS } from '../../../dashboards/src/files.js';
import { OPERATION_DURATION } from '../../../dashboards/src/foreign-metrics.js';
import { prometheusName } from '../../../dashboards/src/prometheus-name.js';
import { until } from '../../support/until.js';
import {
  allPanels,
  annotationQueries,
  panelQueries,
  readDashboard,
  variableQueries,
  withVariables,
  type DashboardJson,
  type PanelQuery,
} from '../../support/dashboard-queries.js';
import type { Phase } from '../phase.js';
import type { LoadApp } from '../servers/load-app.js';
import { SERVICE, type Stack } from '../stack.js';
import { shortenQuery } from '../time/shorten.js';

/** Grafana's value for "All", and its durations with the datasource's interval of 15 s. */
const STEP_INTERVALS = 2;
export const EVERYTHING = {
  job: '.+',
  instance: '.+',
  pool: '.+',
  interval: `${STEP_INTERVALS * 15}s`,
  rateInterval: '1m',
  rangeS: 21_600,
};
const ARRIVAL_MS = 60_000;
const LATE_MS = 10_000;
/** An upper bound for counts and seconds; a higher value is a bug in the query. */
const MOST = 1e6;

/** Every dashboard query, over everything that has happened so far, returns data that is finite and in range. */
export const dashboards: Phase = {
  name: 'dashboards',
  shows: 'every query of every panel returns data, finite and in range',
  async run(stack, table) {
    const foreign = await measuredByInstrumentation(stack);
    await stopSomeQueries(stack);
    await shareConnections(stack);
    await changeLimit(stack);
    for (const uid of DASHBOARDS.map(({ board }) => board.uid)) {
      const dashboard = readDashboard(uid);
      for (const { variable, selector, label } of variableQueries(dashboard)) {
        const values = await stack.prometheus.api.labelValues(label, ready(selector, stack));
        const wanted = { job: SERVICE, instance: stack.app.instance, pool: stack.app.pool }[variable];
        table.row(
          `${uid}: variable ${variable}`,
          `has ${wanted}`,
          values.join(', ') || 'no data',
          wanted !== undefined && values.includes(wanted),
        );
      }
      for (const { name, expr } of annotationQueries(dashboard))
        report(`${uid}: annotation ${name}`, await overTheRun(expr, stack), MOST);
      for (const query of panelQueries(dashboard)) {
        const { panelTitle, refId, expr, kind } = query;
        const what = `${uid}: ${panelTitle} ${refId}`;
        const values = kind === 'instant' ? await atTheEnd(expr, stack) : await overTheRun(expr, stack);
        report(what, values, mostOf(query, dashboard));
        if (isForeign(expr)) {
          const own = await overTheRun(expr, stack, { ...EVERYTHING, instance: foreign.instance });
          report(`${what}, of instrumentation-pg`, own, mostOf(query, dashboard));
        }
      }
    }

    function report(what: string, values: readonly number[], most: number): void {
      const finite = values.filter(Number.isFinite);
      const [least, greatest] = [Math.min(...finite), Math.max(...finite)];
      const good = finite.length > 0 && finite.length === values.length && least >= 0 && greatest <= most;
      table.row(
        what,
        `finite, from 0${most === MOST ? '' : ` to ${most}`}`,
        values.length === 0
          ? 'no data'
          : `${finite.length} of ${values.length} values, ${figure(least)} to ${figure(greatest)}`,
        good,
      );
    }
  },
};

/** Whether instrumentation-pg provides the metric too. */
function isForeign(expr: string): boolean {
  return expr.includes(prometheusName(OPERATION_DURATION));
}

/** Starts an application whose queries are measured by instrumentation-pg: the query panels must show them too. */
async function measuredByInstrumentation({ startApp, prometheus: { api } }: Stack): Promise<LoadApp> {
  const app = await startApp({ pool: 'foreign', queries: 'instrumentation-pg', clients: 4 });
  await app.load({ failing: 0.1 });
  const failed = `sum(db_client_operation_duration_seconds_count{instance="${app.instance}",error_type!=""})`;
  await until('its failures', async () => ((await api.number(failed)) ?? 0) > 1, ARRIVAL_MS);
  return app;
}

/** Runs queries that exceed their time limit or are aborted by their caller. */
async function stopSomeQueries({ app, prometheus: { api } }: Stack): Promise<void> {
  await app.load({ timingOut: 0.05, aborting: 0.05 });
  const least = `min(pgauge_query_canceled_total{instance="${app.instance}"})`;
  await until('stopped queries', async () => ((await api.number(least)) ?? 0) > 0, ARRIVAL_MS);
  await app.load({ timingOut: 0, aborting: 0 });
}

/** Starts an application with few connections that its queries share. */
async function shareConnections({ startApp, prometheus: { api } }: Stack): Promise<void> {
  const { instance } = await startApp({ pool: 'pipelined', pipelining: 8, maxConns: 2, clients: 12 });
  const shared = `pgauge_pool_pipelined{instance="${instance}"}`;
  await until(
    'queries that share a connection',
    async () => ((await api.number(shared)) ?? 0) > 0,
    ARRIVAL_MS,
  );
}

/**
 * Starts an instance with a larger pool, as a deployment that changes the size does: there is an annotation for that.
 */
async function changeLimit({ app: { pool }, startApp, prometheus: { api }, scale }: Stack): Promise<void> {
  const limit = `max(db_client_connection_limit{db_client_connection_pool_name="${pool}"})`;
  const before = (await api.number(limit)) ?? 0;
  await startApp({ pool, maxConns: before + 2, clients: 1 });
  await until('the new limit', async () => ((await api.number(limit)) ?? 0) > before, ARRIVAL_MS);
  // The annotation's query covers at least two steps.
  await sleep(STEP_INTERVALS * 2 * scale.intervalMs);
}

// Retries, because an evaluation between a late export and the next one finds no data.
async function atTheEnd(expr: string, stack: Stack): Promise<number[]> {
  const ask = async (): Promise<number[] | undefined> => {
    const samples = await stack.prometheus.api.query(ready(expr, stack));
    return samples.length > 0 ? samples.map(({ value }) => value) : undefined;
  };
  return await until('data', ask, LATE_MS).catch(() => []);
}

async function overTheRun(expr: string, stack: Stack, values = EVERYTHING): Promise<number[]> {
  const { startedAtS, scale, prometheus } = stack;
  const stepS = (scale.intervalMs * STEP_INTERVALS) / 1_000;
  const nowS = Date.now() / 1_000;
  const lines = await prometheus.api.queryRange(ready(expr, stack, values), startedAtS, nowS, stepS);
  return lines.flatMap(({ points }) => points.map(([, value]) => value));
}

function ready(expr: string, { scale }: Stack, values = EVERYTHING): string {
  return shortenQuery(withVariables(expr, values), scale.factor);
}

function mostOf({ panelId, panelTitle }: PanelQuery, { panels }: DashboardJson): number {
  const panel = allPanels(panels).find(({ id }) => id === panelId);
  if (!panel) throw new Error(`no panel ${panelTitle}`);
  return panel.fieldConfig?.defaults.unit === 'percentunit' ? 1 : MOST;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
