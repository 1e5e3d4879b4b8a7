import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newDynamicAuthFunc, type Config, type PoolOptions } from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useFakeServer } from '../../support/fake-server.js';
import { useIamPools } from '../../support/iam.js';
import { iamConfig } from '../../support/rds-configs.js';
import { series } from '../../support/series.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';
import { cleanUp, meterSdk, tracerSdk, useContextManager } from '../../support/telemetry.js';

const rds = useLocalRds();
useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);
const silent = useFakeServer();

const P = 'orders';
let sdk: ReturnType<typeof tracerSdk>;
let meter: ReturnType<typeof meterSdk>;
let traced: PoolOptions;
beforeEach(() => {
  useContextManager();
  sdk = tracerSdk();
  meter = meterSdk();
  traced = { tracerProvider: sdk.tracerProvider, meterProvider: meter.meterProvider, poolName: P };
});
afterEach(() => {
  rds().gate.set({ rejectTokens: false, fatal: undefined });
  cleanUp();
});

/** Runs in a span of the application, and returns the result and that span's id. */
async function inSpan<T>(run: () => Promise<T>): Promise<readonly [T, string]> {
  const span = sdk.tracerProvider.getTracer('app').startSpan('request');
  try {
    return [await context.with(trace.setSpan(context.active(), span), run), span.spanContext().spanId];
  } finally {
    span.end();
  }
}

const parentOf = (span: ReadableSpan): string | undefined => span.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan): string => span.spanContext().spanId;
const ours = (): ReadableSpan[] => sdk.spans().filter(({ name }) => name !== 'request');
const server = () => ({
  'db.system.name': 'postgresql',
  'db.namespace': rds().database,
  'server.address': rds().host,
  'server.port': rds().port,
  'db.client.connection.pool.name': P,
});

describe('a new connection', () => {
  test('is a CONNECT span below the acquire that waited for it, with its token and afterConnect below', async () => {
    const pool = await makePool({}, { ...traced, afterConnect: () => undefined });
    const [, request] = await inSpan(() => pool.query('select 1'));
    const connect = sdk.span(`CONNECT ${rds().database}`);
    const acquire = sdk.span('pgauge.pool.acquire');
    const token = sdk.span('pgauge.auth.token.refresh');
    const init = sdk.span('pgauge.connection.init');
    expect(ours()).toHaveLength(4);
    expect(parentOf(acquire)).toBe(request);
    expect([parentOf(connect), parentOf(token), parentOf(init)]).toEqual([
      idOf(acquire),
      idOf(connect),
      idOf(connect),
    ]);
    expect([acquire.kind, connect.kind, token.kind, init.kind]).toEqual([
      SpanKind.INTERNAL,
      SpanKind.CLIENT,
      SpanKind.INTERNAL,
      SpanKind.INTERNAL,
    ]);
    expect(connect.attributes).toEqual({
      ...server(),
      'network.peer.address': '127.0.0.1',
      'pgauge.tls.mode': 'require',
    });
    expect(acquire.attributes).toMatchObject({ ...server(), 'pgauge.acquire.reason': 'new_connection' });
    expect(token.attributes).toEqual({
      'pgauge.auth.provider.name': 'awsRdsIam',
      'cloud.region': rds().region,
    });
    expect(init.attributes).toEqual({});
    for (const span of ours()) {
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
      expect(span.events).toEqual([]);
      expect(span.instrumentationScope.name).toBe('pgauge');
    }
  });

  test('has the span of the user’s hook below it, which may start its own spans', async () => {
    const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
    const pool = await makePool(
      { dynamicAuth: undefined },
      {
        ...traced,
        beforeConnect: async (target, hookContext) => {
          sdk.tracerProvider.getTracer('app').startSpan('own').end();
          await auth(target, hookContext);
        },
      },
    );
    await inSpan(() => pool.query('select 1'));
    const hook = sdk.span('pgauge.connect.hook');
    expect(parentOf(hook)).toBe(idOf(sdk.span(`CONNECT ${rds().database}`)));
    expect(parentOf(sdk.span('own'))).toBe(idOf(hook));
    expect(parentOf(sdk.span('pgauge.auth.token.refresh'))).toBe(idOf(hook));
  });

  test('has the address that a hook set, while the acquire span has that of the config', async () => {
    const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
    rds().gate.set({ advertisedHost: '127.0.0.1' });
    try {
      const pool = await makePool(
        { host: 'writer.invalid', dynamicAuth: undefined },
        {
          ...traced,
          beforeConnect: async (target, hookContext) => {
            target.host = '127.0.0.1';
            await auth(target, hookContext);
          },
        },
      );
      await inSpan(() => pool.query('select 1'));
    } finally {
      rds().gate.set({ advertisedHost: 'localhost' });
    }
    expect(sdk.span(`CONNECT ${rds().database}`).attributes).toMatchObject({ 'server.address': '127.0.0.1' });
    expect(sdk.span('pgauge.pool.acquire').attributes).toMatchObject({ 'server.address': 'writer.invalid' });
  });

  test('of the warm-up belongs to no caller’s trace', async () => {
    const [pool] = await inSpan(() => makePool({ minConns: 1 }, traced));
    await until('the pool is warm', () => pool.idleCount === 1);
    expect(parentOf(sdk.span(`CONNECT ${rds().database}`))).toBeUndefined();
    expect(ours().map(({ name }) => name)).not.toContain('pgauge.pool.acquire');
  });
});

describe('an acquire', () => {
  test('that is served at once has no span', async () => {
    const pool = await makePool({}, traced);
    await pool.query('select 1');
    const before = ours().length;
    await inSpan(() => pool.query('select 1'));
    expect(ours()).toHaveLength(before);
  });

  test('that waits for a slot has a span with that reason, below its caller’s', async () => {
    const pool = await makePool({ maxOpenConns: 1 }, traced);
    const held = await pool.connect();
    const waiting = inSpan(() => pool.query('select 1'));
    await until('it waits', () => pool.waitingCount === 1);
    held.release();
    const [, request] = await waiting;
    const [span] = ours().filter(({ attributes }) => attributes['pgauge.acquire.reason'] === 'exhausted');
    expect(span?.name).toBe('pgauge.pool.acquire');
    expect(span && parentOf(span)).toBe(request);
    expect(span?.attributes).toMatchObject({ 'pgauge.pool.used': 1, 'pgauge.pool.limit': 1 });
  });

  test('that times out ends in error', async () => {
    const pool = await makePool({ maxOpenConns: 1 }, traced);
    const held = await pool.connect();
    await inSpan(() => rejection(pool.connect({ timeoutMs: 20 })));
    held.release();
    const [span] = ours().filter(({ attributes }) => 'error.type' in attributes);
    expect(span?.attributes['error.type']).toBe('acquire_timeout');
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
  });
});

describe('a failed attempt', () => {
  class HookError extends Error {}
  const throwing = (): never => {
    throw new HookError('canary');
  };
  interface Case {
    readonly config?: () => Partial<Config>;
    readonly options?: PoolOptions;
    readonly prepare?: () => void;
    readonly type: string;
    readonly status?: string;
    readonly phase: string;
    /** Spans that have the error type in addition to CONNECT and the acquire. */
    readonly also?: string[];
  }
  const toFake = () => ({ host: silent.host, port: silent.port });

  test.each<[string, Case]>([
    [
      'a rejected token',
      {
        prepare: () => rds().gate.set({ rejectTokens: true }),
        type: '28000',
        status: '28000',
        phase: 'auth',
      },
    ],
    [
      'a server that starts up',
      {
        prepare: () => rds().gate.set({ fatal: { code: '57P03', message: 'canary' } }),
        type: '57P03',
        status: '57P03',
        phase: 'auth',
      },
    ],
    [
      'a port that refuses',
      { config: () => ({ host: '127.0.0.1', port: 1 }), type: 'ECONNREFUSED', phase: 'tcp' },
    ],
    [
      'a host name that does not exist',
      { config: () => ({ host: 'no-such-host.invalid' }), type: '(ENOTFOUND|EAI_AGAIN)', phase: 'dns' },
    ],
    [
      'a certificate for another name',
      { config: () => ({ sslMode: 'verify-full' }), type: '(UNABLE_TO_\\w+|SELF_SIGNED\\w+)', phase: 'tls' },
    ],
    [
      'a hook that throws',
      {
        config: () => ({ dynamicAuth: undefined }),
        options: { beforeConnect: throwing },
        type: 'HookError',
        phase: 'hook',
        also: ['pgauge.connect.hook'],
      },
    ],
    [
      'an afterConnect that throws',
      {
        options: { afterConnect: throwing },
        type: 'HookError',
        phase: 'init',
        also: ['pgauge.connection.init'],
      },
    ],
    [
      'no credentials',
      {
        prepare: () => setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }),
        type: 'CredentialsProviderError',
        phase: 'token',
        also: ['pgauge.auth.token.refresh'],
      },
    ],
    [
      'a server that never answers',
      { config: toFake, options: { connectTimeoutMs: 2_000 }, type: 'connect_timeout', phase: 'tls' },
    ],
  ])('for %s has one error type on span, metric and log', async (_what, failure) => {
    const { config, options, prepare, type, status, phase, also = [] } = failure;
    prepare?.();
    const pool = await makePool(config?.() ?? {}, { ...traced, ...options });
    await inSpan(() => rejection(pool.query('select 1')));
    const pattern = new RegExp(`^${type}$`);
    const failed = ours().filter(({ attributes }) => attributes['error.type'] !== undefined);
    expect(failed.map(({ name }) => name).sort()).toEqual(
      [`CONNECT ${rds().database}`, 'pgauge.pool.acquire', ...also].sort(),
    );
    for (const span of failed) {
      expect(span.attributes['error.type']).toMatch(pattern);
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
      expect(span.events).toEqual([]);
    }
    const connect = sdk.span(`CONNECT ${rds().database}`);
    expect(connect.attributes['db.response.status_code']).toBe(status);
    for (const name of ['db.client.connection.create_time', 'db.client.connection.wait_time']) {
      const counted = await series(meter.points, name, P);
      expect(Object.values(counted)).toEqual([1]);
      expect(Object.keys(counted)[0]).toMatch(pattern);
    }
    const [record] = pool.log.named('postgres connect failed');
    expect(record).toMatchObject({ level: 'warn', fields: { phase, attempt: 1 } });
    expect(record?.fields['error_type']).toMatch(pattern);
  });
});
