import { describe, expect, it } from 'vitest';
import { judge, type Counts } from '../../../src/doctor/checks/headroom.js';
import { differenceText } from '../../../src/doctor/clock.js';
import { ForeignText } from '../../../src/doctor/foreign-text.js';
import { otelSettings } from '../../../src/doctor/otel-settings.js';

describe('text of others', () => {
  it('loses secrets, in clear and escaped, and control characters', () => {
    const text = new ForeignText();
    text.hide('secret/canary=1');
    expect(text.clean('a secret/canary=1 b secret%2Fcanary%3D1\x1b[31m\r\nc\u202e')).toBe(
      'a [hidden] b [hidden] [31m c',
    );
  });

  it('keeps short words, which a message has for other reasons', () => {
    const text = new ForeignText();
    text.hide('app');
    expect(text.clean('user app')).toBe('user app');
  });

  it('names the code of an error once', () => {
    const text = new ForeignText();
    expect(text.ofError(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe(
      'connect ECONNREFUSED',
    );
    expect(text.ofError(Object.assign(new Error('no'), { code: '28P01' }))).toBe('28P01: no');
    expect(text.ofError(Object.assign(new Error(''), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
    expect(text.ofError(undefined)).toBe('no reason given');
  });
});

describe('the headroom', () => {
  const counts: Counts = {
    max_connections: 100,
    reserved: 3,
    used: 80,
    role_limit: -1,
    role_used: 5,
    database_limit: -1,
    database_used: 70,
  };
  const name = { user: 'App', database: 'app' };

  it('is enough when a full pool fits exactly', () => {
    expect(judge(counts, 17, name)).toMatchObject({ status: 'ok', facts: { free: 17 } });
  });

  it('warns when one connection is missing', () => {
    expect(judge(counts, 18, name)).toMatchObject({ status: 'warning', code: 'headroom_small' });
  });

  it('fails when the server could never hold the pool', () => {
    expect(judge(counts, 98, name)).toMatchObject({ status: 'failed', code: 'pool_too_large' });
  });

  it("heeds the role's limit and the database's", () => {
    expect(judge({ ...counts, role_limit: 14 }, 10, name)).toMatchObject({
      code: 'headroom_small',
      facts: { free: 9, limited_by: 'CONNECTION LIMIT of role App' },
    });
    const { remedy } = judge({ ...counts, role_limit: 9 }, 10, name);
    expect(remedy).toContain('ALTER ROLE "App" CONNECTION LIMIT -1;');
    expect(judge({ ...counts, database_limit: 75 }, 10, name)).toMatchObject({ facts: { free: 5 } });
  });
});

describe('the difference of two clocks', () => {
  it.each([
    [300, 'agrees with'],
    [-90_000, 'is 90 s behind'],
    [1_200_000, 'is 20 min ahead of'],
  ])('%i ms: %s', (ms, text) => {
    expect(differenceText(ms)).toBe(text);
  });
});

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

  it('are none without an endpoint', () => {
    expect(otelSettings({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b' })).toBeUndefined();
  });
});
