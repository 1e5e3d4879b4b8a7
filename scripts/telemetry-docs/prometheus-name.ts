import type { METRIC } from '../../src/telemetry/names.js';

type Metric = (typeof METRIC)[keyof typeof METRIC];

/** What a metric is called in Prometheus when it came by OTLP; a histogram's series add `_bucket`, `_sum` and `_count`. */
export function prometheusName({
  name,
  unit,
  instrument,
}: Pick<Metric, 'name' | 'unit' | 'instrument'>): string {
  const base = name.replaceAll('.', '_');
  const withUnit = unit === 's' ? `${base}_seconds` : base;
  return instrument === 'ObservableCounter' ? `${withUnit}_total` : withUnit;
}
