import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AcquireTimeoutError, AuthError, ConnectTimeoutError } from '../../../../src/errors.js';
import {
  cleanUp,
  idleGauges,
  meterSdk,
  observed,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

const DIALLED = { host: 'db.example', port: 5432, database: 'shop', tls: true };
const CONNECT = 'CONNECT shop';
const COMMON = {
  'db.system.name': 'postgresql',
  'db.namespace': 'shop',
  'server.address': 'db.example',
  'server.port': 5432,
  'db.client.connection.pool.name': 'db.example:5432/shop',
};

beforeEach(useContextManager);
afterEach(cleanUp);

const parentId = (span: ReadableSpan) => span.parentSpanContext?.spanId;
const id = (span: ReadableSpan) => span.spanContext().spanId;
const startMs = ({ startTime: [s, ns] }: ReadableSpan) => s * 1000 + ns / 1e6;
const endMs = ({ endTime: [s, ns] }: ReadableSpan) => s * 1000 + ns / 1e6;
const rejected = (error: Error) => Object.assign(error, { code: '28P01', severity: 'FATAL' });

describe('spans', () => {
  it('of a new connection are a tree under the caller', async () => {
    const { tracerProvider, span, spans } = tracerSdk();
    const { observer, watch } = observed({}, { tracerProvider });
    watch(idleGauges({ used: 1, idle: 2, connecting: 3, pending: 4 }));
    const caller = tracerProvider.getTracer('app').startSpan('request');
    const seen: (string | undefined)[] = [];
    const note = () => Promise.resolve(void seen.push(trace.getActiveSpan()?.spanContext().spanId));

    const acquire = context.with(trace.setSpan(ROOT_CONTEXT, caller), () => observer.acquireStarted());
    acquire.waiting('new_connection');
    const attempt = observer.connecting(acquire);
    await attempt.hook(note);
    attempt.dialing(DIALLED);
    attempt.peer('192.0.2.1');
    await attempt.init(note);
    attempt.connected(5);
    acquire.acquired(6);

    expect(spans().map((each) => each.name)).toEqual([
      'pgauge.connect.hook',
      'pgauge.connection.init',
      CONNECT,
      'pgauge.pool.acquire',
    ]);
    const [root, connect, hook, init] = [
      span('pgauge.pool.acquire'),
      span(CONNECT),
      span('pgauge.connect.hook'),
      span('pgauge.connection.init'),
    ];
    expect(parentId(root)).toBe(caller.spanContext().spanId);
    expect(parentId(connect)).toBe(id(root));
    expect([parentId(hook), parentId(init)]).toEqual([id(connect), id(connect)]);
    expect(seen).toEqual([id(hook), id(init)]);
    expect([root.kind, connect.kind, hook.kind, init.kind]).toEqual([
      SpanKind.INTERNAL,
      SpanKind.CLIENT,
      SpanKind.INTERNAL,
      SpanKind.INTERNAL,
    ]);
    expect(root.attributes).toEqual({
      ...COMMON,
      'pgauge.acquire.reason': 'new_connection',
      'pgauge.pool.used': 1,
      'pgauge.pool.idle': 2,
      'pgauge.pool.connecting': 3,
      'pgauge.pool.pending': 4,
      'pgauge.pool.limit': 10,
    });
    expect(connect.attributes).toEqual({
      ...COMMON,
      'pgauge.tls.mode': 'verify-full',
      'network.peer.address': '192.0.2.1',
    });
    expect([hook.attributes, init.attributes]).toEqual([{}, {}]);
    for (const each of spans()) {
      expect(each.status).toEqual({ code: SpanStatusCode.UNSET });
      expect(each.events).toEqual([]);
      expect(each.instrumentationScope.name).toBe('pgauge');
    }
  });

  it('lie inside their parents in time, from the start of the acquire', async () => {
    const { tracerProvider, spans, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const before = Date.now();
    const acquire = observer.acquireStarted();
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    acquire.waiting('exhausted');
    const attempt = observer.connecting(acquire);
    await attempt.hook(() => new Promise((resolve) => setTimeout(resolve, 5)));
    attempt.connected(5);
    acquire.acquired(performance.now() - started);
    const root = span('pgauge.pool.acquire');
    expect(startMs(root)).toBeGreaterThanOrEqual(before);
    expect(endMs(root) - startMs(root)).toBeGreaterThanOrEqual(24);
    expect(startMs(span(CONNECT)) - startMs(root)).toBeGreaterThanOrEqual(19);
    for (const child of spans()) {
      expect(startMs(child)).toBeGreaterThanOrEqual(startMs(root));
      expect(endMs(child)).toBeLessThanOrEqual(endMs(root));
    }
  });

  it('of an attempt in the background have no parent, whatever is active', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    await tracerProvider.getTracer('app').startActiveSpan('request', async (request) => {
      const attempt = observer.connecting(undefined);
      await attempt.hook(() => Promise.resolve());
      attempt.connected(1);
      request.end();
    });
    expect(parentId(span(CONNECT))).toBeUndefined();
    expect(span(CONNECT).spanContext().traceId).not.toBe(span('request').spanContext().traceId);
    expect(parentId(span('pgauge.connect.hook'))).toBe(id(span(CONNECT)));
  });

  it('of a token stand below CONNECT, and what the provider does below them', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    const token = await attempt.token({ provider: 'awsRdsIam', region: 'eu-west-1' }, () => {
      tracerProvider.getTracer('http').startSpan('GET').end();
      return Promise.resolve('token');
    });
    attempt.connected(1);
    expect(token).toBe('token');
    const refresh = span('pgauge.auth.token.refresh');
    expect(refresh.kind).toBe(SpanKind.INTERNAL);
    expect(refresh.attributes).toEqual({
      'pgauge.auth.provider.name': 'awsRdsIam',
      'cloud.region': 'eu-west-1',
    });
    expect(parentId(refresh)).toBe(id(span(CONNECT)));
    expect(parentId(span('GET'))).toBe(id(refresh));
  });

  it('of a token composed in a hook stand below that hook', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    await attempt.hook(() => attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('token')));
    attempt.connected(1);
    expect(parentId(span('pgauge.auth.token.refresh'))).toBe(id(span('pgauge.connect.hook')));
  });

  it('of a token stand below a span that the hook made itself', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    await attempt.hook(() =>
      tracerProvider.getTracer('app').startActiveSpan('mine', async (mine) => {
        await attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('token'));
        mine.end();
      }),
    );
    attempt.connected(1);
    expect(parentId(span('pgauge.auth.token.refresh'))).toBe(id(span('mine')));
  });

  it('of a token ignore the request that happens to be active', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    await tracerProvider
      .getTracer('app')
      .startActiveSpan('request', () =>
        attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('token')),
      );
    attempt.connected(1);
    expect(parentId(span('pgauge.auth.token.refresh'))).toBe(id(span(CONNECT)));
  });

  it('name the address and database that a hook chose, and TLS as it was', () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    attempt.dialing({ host: 'replica', port: 6432, database: 'archive', tls: false });
    attempt.connected(1);
    expect(span('CONNECT archive').attributes).toMatchObject({
      'server.address': 'replica',
      'server.port': 6432,
      'db.namespace': 'archive',
      'pgauge.tls.mode': 'disable',
    });
  });

  it('say that a hook turned TLS on', () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({ tlsMode: 'disable' }, { tracerProvider });
    const attempt = observer.connecting(undefined);
    attempt.dialing(DIALLED);
    attempt.connected(1);
    expect(span(CONNECT).attributes['pgauge.tls.mode']).toBe('custom');
  });
});

describe('a failure', () => {
  it('has the same error type on hook, CONNECT, acquire and metrics', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { meterProvider, points } = meterSdk();
    const { observer } = observed({}, { tracerProvider, meterProvider });
    class HookFailed extends Error {}
    const error = new HookFailed('secret');
    const acquire = observer.acquireStarted();
    acquire.waiting('new_connection');
    const attempt = observer.connecting(acquire);
    await expect(attempt.hook(() => Promise.reject(error))).rejects.toBe(error);
    attempt.failed(1, error, 'hook', undefined);
    acquire.failed(2, error);
    for (const name of ['pgauge.connect.hook', CONNECT, 'pgauge.pool.acquire']) {
      expect(span(name).attributes['error.type']).toBe('HookFailed');
      expect(span(name).status).toEqual({ code: SpanStatusCode.ERROR });
    }
    for (const name of ['db.client.connection.create_time', 'db.client.connection.wait_time']) {
      expect((await points(name)).map((point) => point.attributes['error.type'])).toEqual(['HookFailed']);
    }
  });

  it('of a token counts by its cause on the token and on CONNECT', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const cause = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
    const attempt = observer.connecting(undefined);
    await expect(attempt.token({ provider: 'awsRdsIam' }, () => Promise.reject(cause))).rejects.toBe(cause);
    attempt.failed(1, new AuthError('dynamic auth (awsRdsIam): failed', { cause }), 'token', undefined);
    expect(span('pgauge.auth.token.refresh').attributes['error.type']).toBe('ECONNREFUSED');
    expect(span(CONNECT).attributes['error.type']).toBe('ECONNREFUSED');
  });

  it('of a token that the hook survives leaves hook and CONNECT without an error', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    await attempt.hook(() =>
      attempt.token({ provider: 'awsRdsIam' }, () => Promise.reject(new Error('x'))).catch(() => 'fallback'),
    );
    attempt.connected(1);
    expect(span('pgauge.auth.token.refresh').status.code).toBe(SpanStatusCode.ERROR);
    expect(span('pgauge.connect.hook').status.code).toBe(SpanStatusCode.UNSET);
    expect(span(CONNECT).status.code).toBe(SpanStatusCode.UNSET);
  });

  it('of a hook that throws at once is a rejection', async () => {
    const { observer } = observed({}, tracerSdk());
    const attempt = observer.connecting(undefined);
    const thrown = attempt.hook(() => {
      throw new TypeError('x');
    });
    await expect(thrown).rejects.toThrow(TypeError);
  });

  it('of the server carries its SQLSTATE on CONNECT only', () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const error = rejected(new Error('secret'));
    const acquire = observer.acquireStarted();
    acquire.waiting('new_connection');
    observer.connecting(acquire).failed(1, error, 'auth', 'auth');
    acquire.failed(1, error);
    expect(span(CONNECT).attributes).toMatchObject({
      'error.type': '28P01',
      'db.response.status_code': '28P01',
    });
    expect(span('pgauge.pool.acquire').attributes['db.response.status_code']).toBeUndefined();
  });

  it('of an acquire does not make CONNECT one', () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const acquire = observer.acquireStarted();
    acquire.waiting('new_connection');
    const attempt = observer.connecting(acquire);
    acquire.failed(1, new AcquireTimeoutError('x'));
    attempt.connected(2);
    expect(span('pgauge.pool.acquire').attributes['error.type']).toBe('acquire_timeout');
    expect(span(CONNECT).status.code).toBe(SpanStatusCode.UNSET);
  });

  it('by deadline ends the steps that hang, once', async () => {
    const { tracerProvider, spans } = tracerSdk();
    const { meterProvider, points } = meterSdk();
    const { observer } = observed({}, { tracerProvider, meterProvider });
    const attempt = observer.connecting(undefined);
    let answer: (token: string) => void = () => undefined;
    const token = new Promise<string>((resolve) => (answer = resolve));
    const hook = attempt.hook(() => attempt.token({ provider: 'awsRdsIam' }, () => token));
    attempt.failed(15, new ConnectTimeoutError('x'), 'hook', undefined);
    expect(spans().map((span) => [span.name, span.attributes['error.type']])).toEqual([
      ['pgauge.auth.token.refresh', 'connect_timeout'],
      ['pgauge.connect.hook', 'connect_timeout'],
      [CONNECT, 'connect_timeout'],
    ]);
    answer('late');
    await expect(hook).resolves.toBe('late');
    await expect(attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('later'))).resolves.toBe(
      'later',
    );
    expect(spans()).toHaveLength(3);
    expect(await points('pgauge.auth.token.refresh.duration')).toMatchObject([{ value: { count: 1 } }]);
  });
});

describe('acquireSpan', () => {
  const run = (acquireSpan: 'auto' | 'always' | 'never') => {
    const sdk = tracerSdk();
    const { observer } = observed({}, { tracerProvider: sdk.tracerProvider, acquireSpan });
    sdk.tracerProvider.getTracer('app').startActiveSpan('request', (request) => {
      observer.acquired(3);
      observer.acquireStarted().acquired(3);
      const acquire = observer.acquireStarted();
      acquire.waiting('exhausted');
      observer.connecting(acquire).connected(1);
      acquire.acquired(3);
      request.end();
    });
    const names = sdk.spans().map((span) => span.name);
    return { ...sdk, names };
  };

  it('auto traces only acquires that wait', () => {
    expect(run('auto').names).toEqual([CONNECT, 'pgauge.pool.acquire', 'request']);
  });

  it('always traces warm acquires too, from their start', () => {
    const { names, spans, span } = run('always');
    expect(names).toEqual([
      'pgauge.pool.acquire',
      'pgauge.pool.acquire',
      CONNECT,
      'pgauge.pool.acquire',
      'request',
    ]);
    const [warm] = spans();
    if (warm === undefined) throw new Error('no span');
    expect(parentId(warm)).toBe(id(span('request')));
    expect(endMs(warm) - startMs(warm)).toBeCloseTo(3, 0);
    expect(warm.attributes['pgauge.acquire.reason']).toBeUndefined();
  });

  it('never leaves CONNECT below the caller', () => {
    const { names, span } = run('never');
    expect(names).toEqual([CONNECT, 'request']);
    expect(parentId(span(CONNECT))).toBe(id(span('request')));
  });
});

describe('the tracer', () => {
  const connectOnce = (observer: ReturnType<typeof observed>['observer']) =>
    observer.connecting(undefined).connected(1);

  it('is the global one also when its SDK is registered late', () => {
    const { tracerProvider, spans } = tracerSdk();
    const { observer } = observed();
    connectOnce(observer);
    trace.setGlobalTracerProvider(tracerProvider);
    connectOnce(observer);
    expect(spans().map((span) => span.name)).toEqual([CONNECT]);
  });

  it('follows the global one from provider to provider', () => {
    const [before, after] = [tracerSdk(), tracerSdk()];
    trace.setGlobalTracerProvider(before.tracerProvider);
    const { observer } = observed();
    connectOnce(observer);
    trace.disable();
    connectOnce(observer);
    trace.setGlobalTracerProvider(after.tracerProvider);
    connectOnce(observer);
    expect([before.spans().length, after.spans().length]).toEqual([1, 1]);
  });

  it('follows a provider that was put behind the registered one', () => {
    const [before, after] = [tracerSdk(), tracerSdk()];
    trace.setGlobalTracerProvider(before.tracerProvider);
    const { observer } = observed();
    connectOnce(observer);
    (
      trace.getTracerProvider() as unknown as { setDelegate(provider: BasicTracerProvider): void }
    ).setDelegate(after.tracerProvider);
    connectOnce(observer);
    expect([before.spans().length, after.spans().length]).toEqual([1, 1]);
  });

  it('is the given one whatever is registered', () => {
    const [given, global] = [tracerSdk(), tracerSdk()];
    trace.setGlobalTracerProvider(global.tracerProvider);
    connectOnce(observed({}, { tracer: given.tracerProvider.getTracer('app') }).observer);
    connectOnce(observed({}, { tracerProvider: given.tracerProvider }).observer);
    expect([given.spans().length, global.spans().length]).toEqual([2, 0]);
  });

  it('shares one acquire among all callers while there is none', () => {
    const { observer } = observed();
    expect(observer.acquireStarted()).toBe(observer.acquireStarted());
  });

  it('may throw at everything without a caller noticing', async () => {
    const broken = new Proxy({} as Tracer, {
      get() {
        throw new Error('broken');
      },
    });
    const { observer } = observed({}, { tracer: broken, acquireSpan: 'always' });
    observer.acquired(1);
    const acquire = observer.acquireStarted();
    acquire.waiting('exhausted');
    const attempt = observer.connecting(acquire);
    await expect(attempt.hook(() => Promise.resolve('ran'))).resolves.toBe('ran');
    attempt.dialing(DIALLED);
    attempt.connected(1);
    acquire.acquired(1);
  });

  it('whose processor throws does not fail the pool', () => {
    const throwing = () => {
      throw new Error('broken');
    };
    const tracerProvider = new BasicTracerProvider({
      spanProcessors: [
        {
          onStart: () => undefined,
          onEnd: throwing,
          forceFlush: () => Promise.resolve(),
          shutdown: () => Promise.resolve(),
        },
      ],
    });
    expect(() => connectOnce(observed({}, { tracerProvider }).observer)).not.toThrow();
  });
});
