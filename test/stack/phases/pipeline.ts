import { METRIC, SPAN } from '../../../src/telemetry/names.js';
import { canonicalName } from '../../support/otlp/otlp.js';
import { until } from '../../support/until.js';
import type { Phase } from '../phase.js';
import type { PrometheusApi } from '../servers/prometheus-api.js';
import { SERVICE, type Stack } from '../stack.js';
import type { Table } from '../table.js';

const WAIT_MS = 60_000;
const LOOK_EVERY_MS = 200;
const HISTOGRAM_SERIES = ['_bucket', '_count', '_sum'];
/** Resource attributes as labels; the collector keeps them on `target_info` only. */
const RESOURCE_LABEL = /^(service|process|host|os|telemetry|container|k8s|cloud|deployment)_/;

/** The names in Prometheus of every metric of the contract, except that of pipelining pools. */
const NAMES = Object.values(METRIC)
  .filter((metric) => metric !== METRIC.pipelined)
  .flatMap(namesOf);

function namesOf({ name, unit, instrument }: (typeof METRIC)[keyof typeof METRIC]): string[] {
  const base = canonicalName(name, unit, instrument === 'ObservableCounter');
  return instrument === 'Histogram' ? HISTOGRAM_SERIES.map((suffix) => base + suffix) : [base];
}

/** An application's metrics arrive with the names and labels that the dashboards use, and disappear with it. */
export const pipeline: Phase = {
  name: 'pipeline',
  shows:
    'every metric arrives with the names and labels that the dashboards use, and disappears with its process',
  async run(stack, table) {
    const { app, prometheus } = stack;
    const own = `{job="${SERVICE}",instance="${app.instance}"}`;
    await names(table, prometheus.api, own);
    await labels(table, prometheus.api, own);
    table.equal('pools', [app.pool], await prometheus.api.labelValues(POOL_LABEL, `pgauge_pool_info${own}`));
    await spans(table, stack, own);
    await targets(table, prometheus.api);
    await expiry(table, stack);
  },
};

const POOL_LABEL = 'db_client_connection_pool_name';

/** Checks that Prometheus reaches all targets of its configuration. */
export async function targets(table: Table, api: PrometheusApi): Promise<void> {
  const jobs = ['collector', 'collector-self'];
  let up: string[] = [];
  const all = async (): Promise<boolean> => {
    up = (await api.query('up == 1')).map(({ labels: { job = '' } }) => job).sort();
    return up.length === jobs.length;
  };
  await until('targets', all, WAIT_MS, LOOK_EVERY_MS).catch(() => undefined);
  table.equal('targets that are up', jobs, up);
}

async function names(table: Table, api: PrometheusApi, own: string): Promise<void> {
  let missing: string[] = [];
  const complete = async (): Promise<boolean> => {
    const found = new Set(await api.labelValues('__name__', own));
    missing = NAMES.filter((name) => !found.has(name));
    return missing.length === 0;
  };
  await until('every metric', complete, WAIT_MS, LOOK_EVERY_MS).catch(() => undefined);
  for (const name of NAMES) table.equal(name, 'arrives', missing.includes(name) ? 'is missing' : 'arrives');
}

async function labels(table: Table, api: PrometheusApi, own: string): Promise<void> {
  const [first] = await api.series(`db_client_connection_count${own}`);
  table.equal(
    'labels of db_client_connection_count',
    [
      ...['__name__', POOL_LABEL, 'db_client_connection_state', 'instance', 'job'],
      ...['otel_scope_name', 'otel_scope_schema_url', 'otel_scope_version'],
    ],
    Object.keys(first ?? {}).sort(),
  );
  const all = await api.series(own.replace('{', '{__name__!="target_info",'));
  const resource = new Set(
    all.flatMap((series) => Object.keys(series)).filter((key) => RESOURCE_LABEL.test(key)),
  );
  table.equal('labels that are attributes of the resource', [], [...resource]);
}

async function spans(table: Table, { prometheus: { api }, traces }: Stack, own: string): Promise<void> {
  const kinds = [
    ...[SPAN.acquire, `${SPAN.connect} app`, SPAN.connectionInit, SPAN.tokenRefresh],
    ...['insert visits', 'commit'],
  ];
  let counted: string[] = [];
  const arrived = async (): Promise<boolean> => {
    counted = await api.labelValues('span_name', `traces_span_metrics_duration_seconds_count${own}`);
    return kinds.every((kind) => counted.includes(kind));
  };
  await until('span metrics', arrived, WAIT_MS, LOOK_EVERY_MS).catch(() => undefined);
  table.equal(
    'spans in span metrics',
    kinds,
    kinds.filter((kind) => counted.includes(kind)),
  );
  const received = (): string[] => kinds.filter((kind) => traces.spans.some(({ name }) => name === kind));
  await until('spans', () => received().length === kinds.length, WAIT_MS, LOOK_EVERY_MS).catch(
    () => undefined,
  );
  table.equal('spans at the trace backend', kinds, received());
}

async function expiry(table: Table, { prometheus: { api }, startApp }: Stack): Promise<void> {
  const brief = await startApp({ instance: 'app-brief', pool: 'brief', pipelining: 8 });
  const ofBrief = `{job="${SERVICE}",instance="${brief.instance}"}`;
  const count = (): Promise<number | undefined> => api.number(`count(${ofBrief})`);
  try {
    await until(
      'its span metrics',
      () => api.number(`count(traces_span_metrics_calls_total${ofBrief})`),
      WAIT_MS,
      LOOK_EVERY_MS,
    );
    const [pipelined = ''] = namesOf(METRIC.pipelined);
    table.equal(
      `${pipelined} of a pool with pipelining`,
      1,
      await api.number(`count(${pipelined}${ofBrief})`),
    );
  } finally {
    await brief.stop();
  }
  const gone = async (): Promise<boolean> => (await count()) === undefined;
  await until('no series', gone, WAIT_MS, LOOK_EVERY_MS).catch(() => undefined);
  table.equal('series of an application that has ended, after a while', 0, (await count()) ?? 0);
}
