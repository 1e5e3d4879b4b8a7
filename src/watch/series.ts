import { METRIC } from '../telemetry/names.js';

/** A metric of pgauge. */
export type Metric = keyof typeof METRIC;

/** The metric of a series, and which part of it the series is. */
export interface Series {
  readonly metric: Metric;
  readonly part: 'value' | 'bucket' | 'count' | 'sum';
}

/**
 * The metric of a series, by the names of both exporters: `@opentelemetry/exporter-prometheus` leaves the unit out of
 * the name, the collector includes it.
 */
export function seriesOf(name: string): Series | undefined {
  return SERIES.get(name);
}

/** The label of an attribute. */
export function labelOf(attribute: string): string {
  return attribute.replaceAll('.', '_');
}

const SERIES = new Map(
  (Object.keys(METRIC) as Metric[]).flatMap((metric) => {
    const { name, unit, instrument } = METRIC[metric];
    const bases = [labelOf(name), ...(unit === 's' ? [`${labelOf(name)}_seconds`] : [])];
    return bases.flatMap((base): [string, Series][] => {
      if (instrument === 'ObservableCounter') return [[`${base}_total`, { metric, part: 'value' }]];
      if (instrument !== 'Histogram') return [[base, { metric, part: 'value' }]];
      return (['bucket', 'count', 'sum'] as const).map((part) => [`${base}_${part}`, { metric, part }]);
    });
  }),
);
