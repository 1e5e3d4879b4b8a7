import { metrics, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/settings/config.js';
import { copyConfig } from '../../../src/settings/config-checks.js';
import { ConfigError } from '../../../src/errors.js';
import { poolSettings } from '../../../src/settings/pool-settings.js';

const CONFIG = copyConfig({ host: 'h', port: 5432, user: 'u', database: 'd' });
const settingsOf = (options?: unknown, config: Partial<Config> = {}) =>
  poolSettings(options, copyConfig({ ...CONFIG, ...config }));
const ms = (name: string): string => `${name} must be a number of milliseconds from 0 to 2147483647`;

describe('the defaults of the options', () => {
  it.each([undefined, null, {}])('apply to %o', (options) => {
    expect({ ...settingsOf(options), pg: {} }).toStrictEqual({
      beforeConnect: undefined,
      afterConnect: undefined,
      dial: undefined,
      onAcquire: undefined,
      resetSession: undefined,
      logger: undefined,
      meter: undefined,
      meterProvider: undefined,
      tracer: undefined,
      tracerProvider: undefined,
      poolName: undefined,
      signal: undefined,
      ssl: undefined,
      connectTimeoutMs: 15_000,
      acquireTimeoutMs: 30_000,
      connectRetryMs: 0,
      maxPending: 0,
      queryTimeoutMs: 0,
      endTimeoutMs: 0,
      idleTimeoutMs: 1_800_000,
      connMaxLifetimeJitterMs: 360_000,
      retireAtExpiry: false,
      maxUses: 0,
      healthCheckPeriodMs: 60_000,
      maxConnecting: Infinity,
      keepAlive: { initialDelayMs: 10_000 },
      leakDetectionMs: 0,
      acquireSpan: 'auto',
      queryTelemetry: undefined,
      slowQueryMs: 0,
      statsLog: undefined,
      pipelining: undefined,
      pg: {},
    });
    expect(Object.keys(settingsOf(options).pg)).toEqual([]);
  });

  it('follow the lifetime of the config', () => {
    expect(settingsOf({}, { connMaxLifetimeMs: 1005 }).connMaxLifetimeJitterMs).toBe(101);
  });

  it('apply to every option that is null or undefined', () => {
    const unset = (value: unknown) =>
      Object.fromEntries(Object.keys(settingsOf()).map((name) => [name, value]));
    expect(settingsOf(unset(null))).toStrictEqual(settingsOf());
    expect(settingsOf(unset(undefined))).toStrictEqual(settingsOf());
  });
});

describe('poolSettings', () => {
  it('keeps the given values', () => {
    const given = {
      beforeConnect: () => undefined,
      afterConnect: () => undefined,
      logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      meterProvider: metrics.getMeterProvider(),
      tracerProvider: trace.getTracerProvider(),
      poolName: 'orders',
      signal: new AbortController().signal,
      connectTimeoutMs: 1,
      acquireTimeoutMs: 0,
      connectRetryMs: 20_000,
      maxPending: 500,
      queryTimeoutMs: 2.5,
      endTimeoutMs: 3,
      idleTimeoutMs: 0,
      connMaxLifetimeJitterMs: 0,
      maxUses: 4,
      healthCheckPeriodMs: 0,
      maxConnecting: 1,
      leakDetectionMs: 2 ** 31 - 1,
      acquireSpan: 'never',
      slowQueryMs: 250,
    };
    expect(settingsOf(given)).toMatchObject(given);
    expect(settingsOf({ meter: metrics.getMeter('m'), tracer: trace.getTracer('t') })).toMatchObject({
      meter: expect.anything() as unknown,
      tracer: expect.anything() as unknown,
    });
  });

  it('freezes the result and copies nested values', () => {
    const ca = ['one'];
    const given = { ssl: { ca }, pg: { application_name: 'a' }, statsLog: { intervalMs: 5 } };
    const settings = settingsOf(given);
    ca.push('two');
    given.pg.application_name = 'b';
    given.statsLog.intervalMs = 6;
    expect(settings).toMatchObject({
      ssl: { ca: ['one'] },
      pg: { application_name: 'a' },
      statsLog: { intervalMs: 5 },
    });
    for (const part of [
      settings,
      settings.ssl,
      settings.ssl?.ca,
      settings.pg,
      settings.statsLog,
      settings.keepAlive,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it.each<[unknown, unknown]>([
    [false, undefined],
    [true, { intervalMs: 0 }],
    [{}, { intervalMs: 0 }],
    [{ intervalMs: 0 }, { intervalMs: 0 }],
    [{ intervalMs: 7 }, { intervalMs: 7 }],
  ])('normalises statsLog %o', (statsLog, expected) => {
    expect(settingsOf({ statsLog }).statsLog).toEqual(expected);
  });

  const ON = {
    ...{ metrics: true, spans: 'always', text: 'parameterized' },
    ...{ rows: false, summary: undefined, comment: false },
  };
  const summary = () => 'x';

  it.each<[unknown, unknown]>([
    [false, undefined],
    [true, ON],
    [{}, ON],
    [{ metrics: null, spans: null, text: null, rows: null, summary: null, comment: null }, ON],
    [{ metrics: false }, { ...ON, metrics: false }],
    [
      { spans: 'child', text: 'never' },
      { ...ON, spans: 'child', text: 'never' },
    ],
    [
      { rows: true, summary },
      { ...ON, rows: true, summary },
    ],
    [{ comment: 'service' }, { ...ON, comment: 'service' }],
  ])('normalises queryTelemetry %o', (queryTelemetry, expected) => {
    const settings = settingsOf({ queryTelemetry }).queryTelemetry;
    expect(settings).toStrictEqual(expected);
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it.each<[unknown, unknown]>([
    [false, undefined],
    [true, { initialDelayMs: 10_000 }],
    [{}, { initialDelayMs: 10_000 }],
    [{ initialDelayMs: 0 }, { initialDelayMs: 0 }],
    [{ initialDelayMs: 7 }, { initialDelayMs: 7 }],
  ])('normalises keepAlive %o', (keepAlive, expected) => {
    expect(settingsOf({ keepAlive }).keepAlive).toEqual(expected);
  });

  const timeouts = [
    ...['connectTimeoutMs', 'acquireTimeoutMs', 'queryTimeoutMs', 'endTimeoutMs', 'idleTimeoutMs'],
    ...['connMaxLifetimeJitterMs', 'healthCheckPeriodMs', 'leakDetectionMs', 'slowQueryMs'],
  ];
  const refusedTimes = [-1, NaN, Infinity, 2 ** 31, '5', true];
  const method = { getMeter: () => undefined, getTracer: () => undefined, startSpan: () => undefined };
  const meter = { createHistogram: () => undefined, createObservableCounter: () => undefined };

  it.each<[unknown, string]>([
    ['text', 'options must be an object'],
    [[], 'options must be an object'],
    [{ conectTimeoutMs: 1 }, 'unknown key "conectTimeoutMs" in options'],
    [{ max: undefined }, 'unknown key "max" in options'],
    ...timeouts.flatMap((name) =>
      refusedTimes.map((value): [unknown, string] => [{ [name]: value }, ms(name)]),
    ),
    [{ connectTimeoutMs: 0 }, 'connectTimeoutMs must be above 0 and at most 2147483647: it cannot be off'],
    ...[-1, 1.5, NaN, Infinity, 2 ** 31, '5'].map((maxUses): [unknown, string] => [
      { maxUses },
      'maxUses must be a whole number from 0 to 2147483647',
    ]),
    ...[0, 1.5, NaN, '5'].map((maxConnecting): [unknown, string] => [
      { maxConnecting },
      'maxConnecting must be a whole number from 1 to 2147483647',
    ]),
    [{ beforeConnect: {} }, 'beforeConnect must be a function'],
    [{ afterConnect: 'x' }, 'afterConnect must be a function'],
    [{ logger: {} }, 'logger must have these functions: debug, info, warn'],
    [{ logger: { debug() {}, info() {} } }, 'logger must have these functions: debug, info, warn'],
    [{ logger: 'x' }, 'logger must have these functions: debug, info, warn'],
    [{ meter: {} }, 'meter must have these functions: createHistogram, createObservableCounter'],
    [{ meterProvider: {} }, 'meterProvider must have these functions: getMeter'],
    [{ tracer: {} }, 'tracer must have these functions: startSpan'],
    [{ tracerProvider: {} }, 'tracerProvider must have these functions: getTracer'],
    [
      { meter, meterProvider: method },
      'meter and meterProvider are mutually exclusive: give the one that is to be used',
    ],
    [
      { tracer: method, tracerProvider: method },
      'tracer and tracerProvider are mutually exclusive: give the one that is to be used',
    ],
    [{ poolName: 1 }, 'poolName must be a string'],
    [{ poolName: 'a\nb' }, 'poolName must not contain control characters'],
    [{ signal: {} }, 'signal must be an AbortSignal'],
    [{ signal: new AbortController() }, 'signal must be an AbortSignal'],
    [{ acquireSpan: 'sometimes' }, 'acquireSpan must be one of auto, always, never'],
    [{ queryTelemetry: 'on' }, 'queryTelemetry must be true, false or an object'],
    [{ queryTelemetry: [] }, 'queryTelemetry must be an object'],
    [{ queryTelemetry: { span: 'never' } }, 'unknown key "span" in queryTelemetry'],
    [{ queryTelemetry: { metrics: 'yes' } }, 'queryTelemetry.metrics must be true or false'],
    [{ queryTelemetry: { rows: 1 } }, 'queryTelemetry.rows must be true or false'],
    [{ queryTelemetry: { spans: true } }, 'queryTelemetry.spans must be one of always, child, never'],
    [
      { queryTelemetry: { text: 'always' } },
      'queryTelemetry.text must be one of parameterized, sanitized, never',
    ],
    [{ queryTelemetry: { summary: 'SELECT' } }, 'queryTelemetry.summary must be a function'],
    [{ queryTelemetry: { comment: true } }, 'queryTelemetry.comment must be one of false, service, trace'],
    [{ statsLog: 5 }, 'statsLog must be true, false or { intervalMs }'],
    [{ statsLog: { interval: 5 } }, 'unknown key "interval" in statsLog'],
    [{ statsLog: { intervalMs: -1 } }, ms('statsLog.intervalMs')],
    [{ keepAlive: 5 }, 'keepAlive must be true, false or { initialDelayMs }'],
    [{ keepAlive: { initialDelayMs: NaN } }, ms('keepAlive.initialDelayMs')],
    [{ ssl: true }, 'ssl must be an object'],
    [{ pg: 'x' }, 'pg must be an object'],
  ])('refuses %o', (options, message) => {
    expect(() => settingsOf(options)).toThrow(new ConfigError(message));
  });

  it('reads nothing from a prototype and ignores a __proto__ key', () => {
    expect(settingsOf(JSON.parse('{"__proto__": {"maxUses": 5}}')).maxUses).toBe(0);
    expect(settingsOf(Object.create({ maxUses: 5 })).maxUses).toBe(0);
  });
});
