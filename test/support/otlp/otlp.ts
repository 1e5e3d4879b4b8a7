import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Sample } from './relabel.js';

interface Attribute {
  readonly key: string;
  readonly value: { stringValue?: string; intValue?: number | string; boolValue?: boolean };
}

interface NumberPoint {
  readonly attributes: readonly Attribute[];
  readonly asInt?: number | string;
  readonly asDouble?: number;
}

interface HistogramPoint {
  readonly attributes: readonly Attribute[];
  readonly count: number | string;
  readonly sum: number;
  readonly bucketCounts: readonly (number | string)[];
  readonly explicitBounds: readonly number[];
}

/** A metric in an OTLP export, in its JSON form. */
export interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly sum?: { isMonotonic: boolean; aggregationTemporality: number; dataPoints: NumberPoint[] };
  readonly gauge?: { dataPoints: NumberPoint[] };
  readonly histogram?: { aggregationTemporality: number; dataPoints: HistogramPoint[] };
}

/** The metrics of one scope in one export request. */
export interface OtlpScope {
  readonly scope: { readonly name: string; readonly version?: string };
  readonly schemaUrl?: string;
  readonly metrics: readonly OtlpMetric[];
}

/** Receives exports over HTTP on loopback, as a collector does. */
export class OtlpReceiver implements AsyncDisposable {
  readonly scopes: OtlpScope[] = [];
  readonly paths: string[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const json = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      const { resourceMetrics } = JSON.parse(json.toString()) as {
        resourceMetrics: { scopeMetrics: OtlpScope[] }[];
      };
      this.paths.push(`${request.method} ${request.url}`);
      this.scopes.push(...resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  /** Listens on a free port; returns the address for metrics. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/metrics`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The samples of a metric that a Prometheus behind a collector stores, named by the rules for OTLP. */
export function samplesOf(metric: OtlpMetric): Sample[] {
  const name = canonicalName(metric.name, metric.unit, metric.sum?.isMonotonic === true);
  const numbers = [...(metric.sum?.dataPoints ?? []), ...(metric.gauge?.dataPoints ?? [])];
  return [
    ...numbers.map(({ attributes, asInt, asDouble }) => ({
      labels: { __name__: name, ...labels(attributes) },
      value: Number(asInt ?? asDouble),
    })),
    ...(metric.histogram?.dataPoints ?? []).flatMap((point) => {
      const own = labels(point.attributes);
      let below = 0;
      return [
        { labels: { __name__: `${name}_count`, ...own }, value: Number(point.count) },
        { labels: { __name__: `${name}_sum`, ...own }, value: point.sum },
        ...point.bucketCounts.map((count, i) => ({
          labels: { __name__: `${name}_bucket`, ...own, le: String(point.explicitBounds[i] ?? '+Inf') },
          value: (below += Number(count)),
        })),
      ];
    }),
  ];
}

/** The name without the suffixes of a histogram's series: dots are underscores, then the unit, then `_total`. */
export function canonicalName(name: string, unit: string, isCounter: boolean): string {
  // A unit in braces names the things counted, and is left out.
  const suffix = unit === 's' ? '_seconds' : unit.startsWith('{') ? '' : undefined;
  if (suffix === undefined) throw new Error(`no rule for unit ${unit}`);
  return `${name.replaceAll('.', '_')}${suffix}${isCounter ? '_total' : ''}`;
}

function labels(attributes: readonly Attribute[]): Record<string, string> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key.replaceAll('.', '_'),
      String(value.stringValue ?? value.intValue ?? value.boolValue),
    ]),
  );
}
