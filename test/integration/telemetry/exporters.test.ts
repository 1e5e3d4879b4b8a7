import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Meter } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRIC, SCOPE } from '../../../src/telemetry/names.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { usePools } from '../../support/pools.js';
import { useLocalRds, usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';
import { canonicalName, OtlpReceiver, samplesOf } from '../../support/otlp/otlp.js';
import { parseScrape, relabel, type RelabelRule, type Sample } from '../../support/otlp/relabel.js';

const server = usePostgres();
const rds = useLocalRds();
useCleanEnvironment(() => rds().awsEnv);
const makePool = usePools(server);
const makeIamPool = useIamPools(rds);

const FILE = join(import.meta.dirname, '../../../docs/prometheus-relabel.yml');
const { metric_relabel_configs: rules } = parse(readFileSync(FILE, 'utf8')) as {
  metric_relabel_configs: RelabelRule[];
};

const HISTOGRAM_SERIES = ['_bucket', '_count', '_sum'];
/** The names of all series of the contract in a Prometheus behind OTLP. */
const CANONICAL = Object.values(METRIC)
  .flatMap(({ name, unit, instrument }) => {
    const base = canonicalName(name, unit, instrument === 'ObservableCounter');
    return instrument === 'Histogram' ? HISTOGRAM_SERIES.map((suffix) => base + suffix) : [base];
  })
  .sort();

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** One provider with both exporters, so that their values at one moment can be compared. */
async function bothExporters() {
  const receiver = new OtlpReceiver();
  const otlp = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: await receiver.listen() }),
    exportIntervalMillis: 3_600_000,
  });
  const prometheus = new PrometheusExporter({ preventServerStart: true });
  const scraped = createServer((request, response) => prometheus.getMetricsRequestHandler(request, response));
  const meterProvider = new MeterProvider({ readers: [otlp, prometheus] });
  cleanups.push(
    () => receiver[Symbol.asyncDispose](),
    () => new Promise((resolve) => scraped.close(resolve)),
    () => meterProvider.shutdown(),
  );
  const url = await listening(scraped);
  return {
    meterProvider,
    receiver,
    flush: async () => {
      await otlp.forceFlush();
      return receiver.scopes.splice(0);
    },
    scrape: async () => parseScrape(await (await fetch(url)).text()).filter(isOurs),
  };
}

async function listening(scraped: Server): Promise<string> {
  await new Promise<void>((resolve) => scraped.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(scraped.address() as AddressInfo).port}/metrics`;
}

const isOurs = ({ labels }: Sample): boolean => labels['otel_scope_name'] === 'pgauge';
const namesOf = (samples: readonly Sample[]): string[] =>
  [...new Set(samples.map(({ labels }) => labels['__name__'] as string))].sort();

/** Samples by name and labels, without those of the scope and without ages, which grow between the two exports. */
function table(samples: readonly Sample[]): Record<string, number> {
  const lines = samples
    .map(({ labels, value }) => {
      const own = Object.entries(labels).filter(([label]) => !/^(?:__name__$|otel_scope_)/.test(label));
      const inside = own.map(([label, content]) => `${label}="${content}"`).sort();
      return [`${labels['__name__']}{${inside.join(',')}}`, value] as const;
    })
    .filter(([series]) => !series.startsWith('pgauge_pool_longest_'));
  return Object.fromEntries(lines.sort());
}

/** Records every instrument of the contract once, as defined in names.ts. */
function recordAll(meter: Meter): void {
  for (const { name, unit, instrument } of Object.values(METRIC)) {
    if (instrument === 'Histogram') meter.createHistogram(name, { unit }).record(0.1);
    else meter[`create${instrument}`](name, { unit }).addCallback((result) => result.observe(1));
  }
}

describe('a pool that exports by OTLP over HTTP and to Prometheus', () => {
  test('has the same series and values in both, once relabelled', async () => {
    const { meterProvider, flush, scrape } = await bothExporters();
    const pool = await makePool(
      server(),
      { maxOpenConns: 1, minConns: 1 },
      { meterProvider, poolName: 'p"1\\' },
    );
    const iam = await makeIamPool({}, { meterProvider, poolName: 'iam' });
    await Promise.all([pool.query('select 1'), pool.query('select 2'), iam.query('select 3')]);
    const held = await pool.connect();
    await rejection(pool.connect({ timeoutMs: 10 }));

    const exported = (await flush()).flatMap(({ metrics }) => metrics).flatMap(samplesOf);
    const scraped = (await scrape()).map((sample) => relabel(rules, sample));
    held.release();

    expect(table(scraped)).toEqual(table(exported));
    expect(namesOf(scraped)).toEqual(namesOf(exported));
    expect(namesOf(exported).filter((name) => !CANONICAL.includes(name))).toEqual([]);
    expect(table(exported)).toMatchObject({
      'db_client_connection_count{db_client_connection_pool_name="p"1\\",db_client_connection_state="used"}': 1,
      'db_client_connection_timeouts_total{db_client_connection_pool_name="p"1\\"}': 1,
      'pgauge_auth_token_refresh_duration_seconds_count{db_client_connection_pool_name="iam",pgauge_auth_provider_name="awsRdsIam"}': 1,
    });
  });

  test('sends its scope, units, descriptions and buckets, cumulative', async () => {
    const { meterProvider, receiver, flush } = await bothExporters();
    const pool = await makePool(server(), {}, { meterProvider });
    await pool.query('select 1');
    const [ours, ...others] = await flush();
    expect(others).toEqual([]);
    expect(receiver.paths).toEqual(['POST /v1/metrics']);
    expect(ours).toMatchObject({
      scope: { name: SCOPE.name, version: SCOPE.version },
      schemaUrl: SCOPE.schemaUrl,
    });
    const byName = new Map(Object.values(METRIC).map((metric) => [metric.name as string, metric]));
    for (const metric of ours?.metrics ?? []) {
      const known = byName.get(metric.name);
      expect([metric.name, metric.unit, metric.description]).toEqual([
        known?.name,
        known?.unit,
        known?.description,
      ]);
      const temporality = (metric.sum ?? metric.histogram)?.aggregationTemporality;
      // In OTLP, unspecified is 0, delta 1 and cumulative 2: one more than in the SDK.
      if (metric.gauge === undefined) expect(temporality).toBe(AggregationTemporality.CUMULATIVE + 1);
      for (const point of metric.histogram?.dataPoints ?? [])
        expect([metric.name, point.explicitBounds]).toEqual([
          metric.name,
          known !== undefined && 'buckets' in known ? [...known.buckets] : undefined,
        ]);
    }
    expect(ours?.metrics.length).toBeGreaterThan(10);
  });
});

describe('the relabel block for Prometheus', () => {
  test('renames every documented metric to its OTLP name', async () => {
    const { meterProvider, flush, scrape } = await bothExporters();
    recordAll(meterProvider.getMeter('pgauge'));
    const scraped = await scrape();
    const exported = (await flush()).flatMap(({ metrics }) => metrics).flatMap(samplesOf);
    expect(namesOf(exported)).toEqual(CANONICAL);
    expect(namesOf(scraped)).not.toEqual(CANONICAL);
    expect(namesOf(scraped.map((sample) => relabel(rules, sample)))).toEqual(CANONICAL);
  });

  test.each([...CANONICAL, 'http_server_request_duration_bucket', 'up'])('does not change %s', (name) => {
    const sample = { labels: { __name__: name, job: 'app' }, value: 1 };
    expect(relabel(rules, sample)).toEqual(sample);
  });

  test('adds the unit to the durations of instrumentation-pg too', () => {
    const sample = { labels: { __name__: 'db_client_operation_duration_bucket', le: '1' }, value: 1 };
    expect(relabel(rules, sample).labels).toEqual({
      __name__: 'db_client_operation_duration_seconds_bucket',
      le: '1',
    });
  });

  test('needs the braces around its groups', () => {
    const [rule] = rules as [RelabelRule];
    const bare = { ...rule, replacement: '$1_seconds_$2' };
    const sample = { labels: { __name__: 'db_client_operation_duration_sum' }, value: 1 };
    expect(relabel([bare], sample).labels['__name__']).toBe('sum');
  });
});
