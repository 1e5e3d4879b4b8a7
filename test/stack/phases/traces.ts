import { METRIC, SCOPE, SPAN } from '../../../src/telemetry/names.js';
import { until } from '../../support/until.js';
import type { Phase } from '../phase.js';
import type { PrometheusApi } from '../servers/prometheus-api.js';
import type { ReceivedSpan } from '../servers/trace-backend.js';
import { SERVICE, type Stack } from '../stack.js';
import type { Table } from '../table.js';

const SETTLE_MS = 30_000;
const LOOK_EVERY_MS = 200;
const ENOUGH_LOGINS = 20;
const REQUEST = 'demo request';
const NOBODY = 'nobody';
/** The parent of a span whose parent was never received. */
const LOST = 'lost';
const PG_SCOPE = '@opentelemetry/instrumentation-pg';
const QUERY = 'query';

/** The parents that each kind of span may have; all of them must occur. */
const PARENTS: Readonly<Record<string, readonly string[]>> = {
  // The application creates its table outside of any request.
  [SPAN.acquire]: [NOBODY, REQUEST],
  // Connections for the minimum are opened without an acquire.
  [SPAN.connect]: [NOBODY, SPAN.acquire],
  [SPAN.tokenRefresh]: [SPAN.connect],
  [SPAN.connectionInit]: [SPAN.connect],
  // The statement that creates the table has no parent either.
  [QUERY]: [NOBODY, REQUEST, SPAN.connectionInit],
};

/** Spans arrive complete, under the right parents, and Prometheus' exemplars lead to them. */
export const traces: Phase = {
  name: 'traces',
  shows: 'spans arrive complete and under the right parents; exemplars lead to them',
  async run(stack, table) {
    const app = await stack.startApp({ instance: 'app-traced', pool: 'traced', clients: 0, minConns: 1 });
    const spans = (): ReceivedSpan[] =>
      stack.traces.spans.filter(({ resource }) => resource['service.instance.id'] === app.instance);
    try {
      await app.load({ clients: 6, discard: 0.2 });
      await until(
        'logins for requests',
        () => spans().filter((span) => kindOf(span) === SPAN.connectionInit).length >= ENOUGH_LOGINS,
        SETTLE_MS,
        LOOK_EVERY_MS,
      );
      // Exemplars exist only while there are new spans.
      const exemplars = async (): Promise<boolean> =>
        (await stack.prometheus.api.exemplars(exemplarQuery(app.instance))).length > 0;
      await until('exemplars', exemplars, SETTLE_MS, LOOK_EVERY_MS).catch(() => undefined);
      await app.load({ clients: 0, discard: 0 });
      // A request's span arrives after the spans within it, so wait until no request is in progress.
      await until('quiet', async () => (await app.stat()).stat.acquiredConns === 0, SETTLE_MS, LOOK_EVERY_MS);
      await counted(table, stack.prometheus.api, app.instance, spans);
      related(table, await wholeTraces(spans));
      table.equal(
        'spans of instrumentation-pg for the same queries',
        0,
        spans().filter(({ scope }) => scope === PG_SCOPE).length,
      );
      await exemplified(table, stack, app.instance);
    } finally {
      await app.stop();
    }
  },
};

/** The name of the span without its database; `query` for spans that are named by their summary. */
function kindOf({ name, scope }: ReceivedSpan): string {
  const kind = Object.values(SPAN).find((one) => name.split(' ')[0] === one);
  return kind ?? (scope === SCOPE.name ? QUERY : name);
}

/** Checks that both exporters of the collector have the same spans. */
async function counted(
  table: Table,
  api: PrometheusApi,
  instance: string,
  spans: () => readonly ReceivedSpan[],
): Promise<void> {
  const query = `sum by (span_name) (traces_span_metrics_calls_total{job="${SERVICE}",instance="${instance}"})`;
  const inMetrics = async (): Promise<string> =>
    list((await api.query(query)).map(({ labels, value }) => `${labels['span_name']}: ${value}`));
  const received = (): string => {
    const counts = new Map<string, number>();
    for (const { name } of spans()) counts.set(name, (counts.get(name) ?? 0) + 1);
    return list([...counts].map(([name, count]) => `${name}: ${count}`));
  };
  let seen = '';
  const agree = async (): Promise<boolean> => (seen = await inMetrics()) === received();
  await until('span metrics', agree, SETTLE_MS, LOOK_EVERY_MS).catch(() => undefined);
  table.row('spans counted by span_metrics, as received', received(), seen, seen === received());
}

/** The spans at a moment when no parent is missing; connections are opened all the time. */
async function wholeTraces(spans: () => readonly ReceivedSpan[]): Promise<readonly ReceivedSpan[]> {
  let seen = spans();
  const whole = (): boolean => !(seen = spans()).map(parentIn(seen)).includes(LOST);
  await until('whole traces', whole, SETTLE_MS, LOOK_EVERY_MS).catch(() => undefined);
  return seen;
}

function related(table: Table, spans: readonly ReceivedSpan[]): void {
  const parentOf = parentIn(spans);
  for (const [kind, parents] of Object.entries(PARENTS)) {
    const found = new Set(spans.filter((span) => kindOf(span) === kind).map(parentOf));
    table.equal(`parents of ${kind}`, list(parents), list(found));
  }
}

/** Returns a function from a span to the kind of its parent. */
function parentIn(spans: readonly ReceivedSpan[]): (span: ReceivedSpan) => string {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  return ({ traceId, parentSpanId }) => {
    if (parentSpanId === undefined) return NOBODY;
    const parent = byId.get(parentSpanId);
    return parent?.traceId === traceId ? kindOf(parent) : LOST;
  };
}

function exemplarQuery(instance: string): string {
  return `traces_span_metrics_duration_seconds_bucket{job="${SERVICE}",instance="${instance}"}`;
}

async function exemplified(table: Table, { prometheus: { api }, traces: backend }: Stack, instance: string) {
  const found = await api.exemplars(exemplarQuery(instance));
  const all = found.flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map(({ labels }) => ({ spanName: seriesLabels['span_name'], labels })),
  );
  const lost = all.filter(
    ({ spanName, labels }) =>
      !backend
        .trace(String(labels['trace_id']))
        .some(({ spanId, name }) => spanId === labels['span_id'] && name === spanName),
  );
  table.row(
    'exemplars of span_metrics lead to a span of that name at the trace backend',
    'some, all',
    `${all.length}, ${lost.length === 0 ? 'all' : `not ${lost.length}`}`,
    all.length > 0 && lost.length === 0,
  );
  const own = await api.exemplars(`db_client_connection_wait_time_seconds_bucket{instance="${instance}"}`);
  table.equal(`exemplars of ${METRIC.waitTime.name}, which the SDK does not make`, 0, own.length);
}

function list(items: Iterable<string>): string {
  return [...items].sort().join(', ');
}
