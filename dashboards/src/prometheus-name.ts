/** As much of a metric as its name and labels in Prometheus depend on. */
export interface MetricShape {
  readonly name: string;
  readonly unit: string;
  readonly instrument: string;
  readonly attributes: readonly string[];
  /** Series of it may lack the pool's name. */
  readonly poolOptional?: boolean;
}

/** What a metric is called in Prometheus when it came by OTLP; a histogram's series add `_bucket`, `_sum` and `_count`. */
export function prometheusName({
  name,
  unit,
  instrument,
}: Pick<MetricShape, 'name' | 'unit' | 'instrument'>): string {
  const base = prometheusLabel(name);
  const withUnit = unit === 's' ? `${base}_seconds` : base;
  return instrument === 'ObservableCounter' ? `${withUnit}_total` : withUnit;
}

/** What an attribute is called as a label. */
export function prometheusLabel(attribute: string): string {
  return attribute.replaceAll('.', '_');
}
