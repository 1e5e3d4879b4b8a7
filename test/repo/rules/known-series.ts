import { OPERATION_DURATION } from '../../../dashboards/src/foreign-metrics.js';
import { prometheusName } from '../../../dashboards/src/prometheus-name.js';
import { BACKENDS } from '../../../src/auth/backends.js';
import { ATTR, CONNECTION_STATES, METRIC } from '../../../src/telemetry/names.js';
import { CLOSE_REASONS } from '../../../src/observer.js';

interface KnownMetric {
  readonly labels: ReadonlySet<string>;
  /** Upper bounds of the buckets, as values of `le`. */
  readonly bounds: readonly string[];
}

/** Labels that Prometheus and the collector add to every series. */
const TARGET_LABELS = ['job', 'instance'] as const;

/** The metric of query durations includes the attributes that instrumentation-pg adds. */
const METRICS = Object.values({ ...METRIC, operationDuration: OPERATION_DURATION });

/** An attribute's name as a label. */
const labelOf = (attribute: string): string => attribute.replaceAll('.', '_');

/** Every label that a query may group by. */
export const KNOWN_LABELS: ReadonlySet<string> = new Set([
  ...TARGET_LABELS,
  'le',
  ...METRICS.flatMap(({ attributes }) => attributes.map(labelOf)),
]);

/** Every series of the library by its name in Prometheus. */
export const KNOWN_METRICS: ReadonlyMap<string, KnownMetric> = new Map(
  METRICS.flatMap((metric) => {
    const name = prometheusName(metric);
    const labels = [...TARGET_LABELS, ...metric.attributes.map(labelOf)];
    if (!('buckets' in metric)) return [[name, { labels: new Set(labels), bounds: [] }]];
    return [
      [`${name}_bucket`, { labels: new Set([...labels, 'le']), bounds: metric.buckets.map(String) }],
      [`${name}_sum`, { labels: new Set(labels), bounds: [] }],
      [`${name}_count`, { labels: new Set(labels), bounds: [] }],
    ];
  }),
);

/** The possible values of labels that have few. */
export const KNOWN_VALUES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  [labelOf(ATTR.connectionState), CONNECTION_STATES],
  [labelOf(ATTR.closeReason), CLOSE_REASONS],
  [labelOf(ATTR.authProviderName), Object.keys(BACKENDS)],
]);
