import { readFileSync } from 'node:fs';
import * as semconv from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import * as names from '../../../src/telemetry/names.js';

const conventional = new Set<unknown>(Object.values(semconv));

describe('telemetry names', () => {
  it.each([...Object.values(names.METRIC).map((metric) => metric.name), ...Object.values(names.ATTR)])(
    '%s is a name of the conventions or starts with pgauge.',
    (name) => {
      expect(name.startsWith('pgauge.')).toBe(!conventional.has(name));
    },
  );

  it('uses the names of the conventions for the eight connection metrics', () => {
    const ours = Object.values(names.METRIC).map((metric) => metric.name);
    expect(ours).toEqual(
      expect.arrayContaining([
        semconv.METRIC_DB_CLIENT_CONNECTION_COUNT,
        semconv.METRIC_DB_CLIENT_CONNECTION_LIMIT,
        semconv.METRIC_DB_CLIENT_CONNECTION_IDLE_MIN,
        semconv.METRIC_DB_CLIENT_CONNECTION_PENDING_REQUESTS,
        semconv.METRIC_DB_CLIENT_CONNECTION_TIMEOUTS,
        semconv.METRIC_DB_CLIENT_CONNECTION_WAIT_TIME,
        semconv.METRIC_DB_CLIENT_CONNECTION_CREATE_TIME,
        semconv.METRIC_DB_CLIENT_CONNECTION_USE_TIME,
      ]),
    );
  });

  it('uses the values of the conventions', () => {
    expect(names.DB_SYSTEM_NAME).toBe(semconv.DB_SYSTEM_NAME_VALUE_POSTGRESQL);
    expect(names.ERROR_TYPE.other).toBe(semconv.ERROR_TYPE_VALUE_OTHER);
    expect(names.CONNECTION_STATES).toContain(semconv.DB_CLIENT_CONNECTION_STATE_VALUE_USED);
    expect(names.CONNECTION_STATES).toContain(semconv.DB_CLIENT_CONNECTION_STATE_VALUE_IDLE);
  });

  it('never uses the unit 1, which Prometheus exporters turn into the suffix _ratio', () => {
    for (const { unit } of Object.values(names.METRIC)) expect(unit).toMatch(/^(s|\{[a-z]+\})$/);
  });

  it('has the versions of the package and of the installed conventions', () => {
    const version = (url: URL) => (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
    expect(names.SCOPE.version).toBe(version(new URL('../../../package.json', import.meta.url)));
    const installed = new URL(
      '../../../node_modules/@opentelemetry/semantic-conventions/package.json',
      import.meta.url,
    );
    expect(version(installed)).toBe(names.SEMCONV_VERSION);
    expect(names.SCOPE.schemaUrl).toBe('https://opentelemetry.io/schemas/1.45.0');
  });
});
