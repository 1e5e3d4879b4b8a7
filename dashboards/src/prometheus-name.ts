/** The properties of a metric that determine its name and labels in Prometheus. */
export interface MetricShape {
  readonly name: string;
  readonly unit: string;
  readonly instrument: string;
  readonly attributes: readonly string[];
  /** Whether its series may lack the pool's name. */
  readonly poolOptional?: boolean;
}

/** A metric's name in Prometheus after export by OTLP; a histogram's series add `_bucket`, `_sum` and `_count`. */
export function prometheusName({
  name,
  unit,
  instrument,
}: Pick<MetricShape, 'name' | 'unit' | 'instrument'>): string {
  const base = prometheusLabel(name);
  const withUnit = unit === 's' ? `${base}_seconds` : base;
  return instrument === 'ObservableCounter' ? `${withUnit}_total` : withUnit;
}

/** The label name of an attribute. */
export function prometheusLabel(attribute: string): string {
  return attribute.replaceAll('.', '_');
}
