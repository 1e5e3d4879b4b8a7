import { describe, expect, it } from 'vitest';
import { judge, type Counts } from '../../../src/doctor/checks/headroom.js';
import { checkRegion, regionOfHost } from '../../../src/doctor/checks/region.js';
import { readClaims } from '../../../src/doctor/checks/token.js';
import { differenceText } from '../../../src/doctor/clock.js';
import { describeSource, maskedKeyId } from '../../../src/doctor/credential-source.js';
import { ForeignText } from '../../../src/doctor/foreign-text.js';
import { otelSettings } from '../../../src/doctor/otel-settings.js';
import { Session } from '../../../src/doctor/session.js';

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

describe('the region of a host', () => {
  it.each([
    ['db.abc.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
    ['DB.cluster-abc.us-gov-west-1.rds.amazonaws.com.', 'us-gov-west-1'],
    ['db.abc.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['db.abc.eu-central-1.rds.amazonaws.com.evil.example', undefined],
    ['localhost', undefined],
  ])('%s: %s', (host, region) => {
    expect(regionOfHost(host)).toBe(region);
  });

  it('is held against the region asked for', async () => {
    const session = new Session(
      {
        config: {},
        origins: {},
        caFile: undefined,
        max: 10,
        timeoutMs: 1_000,
        region: 'us-east-1',
      },
      {},
    );
    const host = 'db.abc.eu-central-1.rds.amazonaws.com';
    session.set('config', { host, port: 5432, user: 'app', database: 'app' });
    const outcome = await checkRegion(session, new AbortController().signal);
    expect(outcome).toMatchObject({ status: 'warning', code: 'region_mismatch' });
    expect(outcome.remedy).toContain('--region eu-central-1');
  });
});

describe('the claims of a token', () => {
  it('are read without its signature', () => {
    const claims = readClaims(
      'db.example.com:5433/?Action=connect&DBUser=a%20b&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20261123T010203Z&X-Amz-Expires=900&X-Amz-Signature=canary',
    );
    expect(claims).toEqual({
      host: 'db.example.com',
      port: 5433,
      user: 'a b',
      region: 'eu-central-1',
      accessKeyId: 'AKIDEXAMPLE',
      signedAt: new Date('2026-11-23T01:02:03Z'),
      expiresInS: 900,
    });
  });
});

describe('credentials', () => {
  it.each([
    [{ CREDENTIALS_ENV_VARS: 'g' }, {}, 'environment'],
    [{ CREDENTIALS_PROFILE: 'n' }, { AWS_PROFILE: 'prod' }, 'profile prod'],
    [{ CREDENTIALS_PROFILE_SSO: 'r', CREDENTIALS_SSO: 's' }, {}, 'SSO, profile default'],
    [
      { CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN: 'h', CREDENTIALS_STS_ASSUME_ROLE_WEB_ID: 'k' },
      {},
      'web identity (STS)',
    ],
    [
      { CREDENTIALS_PROFILE_SOURCE_PROFILE: 'o', CREDENTIALS_STS_ASSUME_ROLE: 'i' },
      {},
      'assumed role (STS), profile default',
    ],
    [{ CREDENTIALS_HTTP: 'z' }, { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://x/' }, 'container'],
    [undefined, {}, 'instance metadata'],
  ])('with the marks %j come from: %j %s', (marks, env, name) => {
    expect(describeSource(marks, env).name).toBe(name);
  });

  it('show the ends of their key id only', () => {
    expect(maskedKeyId('AKIA1234567890ABCDEF')).toBe('AKIA…CDEF');
    expect(maskedKeyId('short')).toBe('…');
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
