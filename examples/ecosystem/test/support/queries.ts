// Loaded before an example: registers the SDK's metrics, and prints as the last line how many times each summary was
// measured.
import { metrics } from '@opentelemetry/api';
import { DataPointType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

class Reader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

const reader = new Reader();
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));

/** The number of queries by summary and, for failed ones, `error.type`. */
async function queries(): Promise<Record<string, number>> {
  const { resourceMetrics } = await reader.collect();
  const counts: Record<string, number> = {};
  for (const { descriptor, dataPointType, dataPoints } of resourceMetrics.scopeMetrics.flatMap(
    (scope) => scope.metrics,
  )) {
    if (descriptor.name !== 'db.client.operation.duration' || dataPointType !== DataPointType.HISTOGRAM)
      continue;
    for (const { attributes, value } of dataPoints) {
      const parts = [attributes['db.query.summary'], attributes['error.type']];
      counts[parts.filter((part) => part !== undefined).join(': ')] = value.count;
    }
  }
  return counts;
}

process.once('beforeExit', () => {
  void queries().then((counts) => console.log(JSON.stringify(counts)));
});
