import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import {
  ATTR,
  LATENCY_BUCKETS,
  METRIC,
  OPERATION_BUCKETS,
  ROW_BUCKETS,
  USE_BUCKETS,
} from '../../../src/telemetry/names.js';
import { OPERATION_DURATION, SPAN_DURATION } from '../../../dashboards/src/foreign-metrics.js';
import {
  prometheusLabel,
  prometheusName,
  type MetricShape,
} from '../../../dashboards/src/prometheus-name.js';

/** The labels that the collector and Prometheus add to every series. */
const EVERYWHERE = ['job', 'instance'];

const RULES = new URL('../../../dashboards/rules/pgauge.rules.yml', import.meta.url);

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly record?: string; readonly alert?: string }[];
  }[];
}

const POOL = prometheusLabel(ATTR.poolName);

/** Every series that can be queried, and the labels it may have. */
export function knownSeries(): Map<string, ReadonlySet<string>> {
  const series = new Map<string, ReadonlySet<string>>();
  // The last two have the attributes that other instrumentations add.
  const shapes: readonly MetricShape[] = [...Object.values(METRIC), OPERATION_DURATION, SPAN_DURATION];
  for (const shape of shapes) {
    const labels = [...EVERYWHERE, ...shape.attributes.map(prometheusLabel)];
    const name = prometheusName(shape);
    if (shape.instrument === 'Histogram') {
      series.set(`${name}_bucket`, new Set([...labels, 'le']));
      series.set(`${name}_count`, new Set(labels));
      series.set(`${name}_sum`, new Set(labels));
    } else {
      series.set(name, new Set(labels));
    }
  }
  series.set('ALERTS', new Set([...EVERYWHERE, 'alertname', 'alertstate', 'severity', POOL]));
  for (const record of recorded()) series.set(record, new Set(labelsOf(record)));
  return series;
}

/** The names of the recording rules. */
function recorded(): string[] {
  return rules().flatMap(({ record }) => record ?? []);
}

/** The labels that a recorded series keeps, from its name: `job_pool:…`. */
function labelsOf(record: string): string[] {
  const [level = ''] = record.split(':');
  return level.split('_').map((label) => (label === 'pool' ? POOL : label));
}

/** The names of the alerts. */
export function alertNames(): string[] {
  return rules().flatMap(({ alert }) => alert ?? []);
}

function rules(): Rules['groups'][number]['rules'] {
  return (parse(readFileSync(RULES, 'utf8')) as Rules).groups.flatMap((group) => group.rules);
}

/** The boundaries of our own histograms, as Prometheus writes them. */
export const KNOWN_BOUNDARIES: ReadonlySet<string> = new Set(
  [...LATENCY_BUCKETS, ...USE_BUCKETS, ...OPERATION_BUCKETS, ...ROW_BUCKETS].map(String),
);
