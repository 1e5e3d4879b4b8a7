import { describe, expect, it } from 'vitest';
import { otelSettings } from '../../../src/doctor/otel-settings.js';

describe('the OTLP settings', () => {
  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'http://c:4318/v1/metrics'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/base/' }, 'http://c:4318/base/v1/metrics'],
    [
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://m/x', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c' },
      'http://m/x',
    ],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317' }, 'http://c:4317/'],
  ])('%j: %s', (env, url) => {
    expect(otelSettings(env)?.url.href).toBe(url);
  });

  it('read headers as percent-encoded pairs', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=b%20c, d=e=f,junk',
    };
    expect(otelSettings(env)?.headers).toEqual({ a: 'b c', d: 'e=f' });
  });

  it('are absent without an endpoint', () => {
    expect(otelSettings({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b' })).toBeUndefined();
  });
});
