import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthError, ConnectTimeoutError } from '../../../../src/errors.js';
import {
  cleanUp,
  CONNECT,
  DIALLED,
  idleGauges,
  meterSdk,
  observed,
  parentId,
  spanId,
  tracerSdk,
  useContextManager,
} from '../../../support/telemetry.js';

const COMMON = {
  'db.system.name': 'postgresql',
  'db.namespace': 'shop',
  'server.address': 'db.example',
  'server.port': 5432,
  'db.client.connection.pool.name': 'db.example:5432/shop',
};

beforeEach(useContextManager);
afterEach(cleanUp);

const rejected = (error: Error) => Object.assign(error, { code: '28P01', severity: 'FATAL' });

describe('the spans of a connection attempt', () => {
  it('are a tree below the caller’s span', async () => {
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
    expect(parentId(connect)).toBe(spanId(root));
    expect([parentId(hook), parentId(init)]).toEqual([spanId(connect), spanId(connect)]);
    expect(seen).toEqual([spanId(hook), spanId(init)]);
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

  it('have no parent if the attempt is made in the background, even if a span is active', async () => {
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
    expect(parentId(span('pgauge.connect.hook'))).toBe(spanId(span(CONNECT)));
  });

  it('have a token refresh below CONNECT, and the spans of the provider below the token refresh', async () => {
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
    expect(parentId(refresh)).toBe(spanId(span(CONNECT)));
    expect(parentId(span('GET'))).toBe(spanId(refresh));
  });

  it('have a token refresh that is called from a hook below the span of the hook', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    await attempt.hook(() => attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('token')));
    attempt.connected(1);
    expect(parentId(span('pgauge.auth.token.refresh'))).toBe(spanId(span('pgauge.connect.hook')));
  });

  it('have a token refresh below the span that a hook started itself', async () => {
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
    expect(parentId(span('pgauge.auth.token.refresh'))).toBe(spanId(span('mine')));
  });

  it('have a token refresh below CONNECT even if the span of a request is active', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const attempt = observer.connecting(undefined);
    await tracerProvider
      .getTracer('app')
      .startActiveSpan('request', () =>
        attempt.token({ provider: 'awsRdsIam' }, () => Promise.resolve('token')),
      );
    attempt.connected(1);
    expect(parentId(span('pgauge.auth.token.refresh'))).toBe(spanId(span(CONNECT)));
  });

  it('have the address, database and TLS mode that a hook chose', () => {
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

  it('have the TLS mode custom if a hook enabled TLS', () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({ tlsMode: 'disable' }, { tracerProvider });
    const attempt = observer.connecting(undefined);
    attempt.dialing(DIALLED);
    attempt.connected(1);
    expect(span(CONNECT).attributes['pgauge.tls.mode']).toBe('custom');
  });
});

describe('a failed connection attempt', () => {
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

  it('has the error type of its cause on token refresh and CONNECT if the token failed', async () => {
    const { tracerProvider, span } = tracerSdk();
    const { observer } = observed({}, { tracerProvider });
    const cause = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
    const attempt = observer.connecting(undefined);
    await expect(attempt.token({ provider: 'awsRdsIam' }, () => Promise.reject(cause))).rejects.toBe(cause);
    attempt.failed(1, new AuthError('dynamic auth (awsRdsIam): failed', { cause }), 'token', undefined);
    expect(span('pgauge.auth.token.refresh').attributes['error.type']).toBe('ECONNREFUSED');
    expect(span(CONNECT).attributes['error.type']).toBe('ECONNREFUSED');
  });

  it('does not mark hook and CONNECT as failed if the hook handles a failed token refresh', async () => {
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

  it('rejects if its hook throws synchronously', async () => {
    const { observer } = observed({}, tracerSdk());
    const attempt = observer.connecting(undefined);
    const thrown = attempt.hook(() => {
      throw new TypeError('x');
    });
    await expect(thrown).rejects.toThrow(TypeError);
  });

  it('has the SQLSTATE of the server on CONNECT only', () => {
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

  it('ends the steps that hang at the deadline, once', async () => {
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
