import { metrics } from '@opentelemetry/api';
import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import type { CredentialsObserver, CredentialsSource } from '../../../../src/hooks.js';
import type { PoolTelemetry, TelemetryOptions } from '../../../../src/telemetry/index.js';
import { cleanUp, idleGauges, meterSdk, observed } from '../../../support/telemetry.js';

const FETCH = 'pgauge.auth.credentials.fetch.duration';
const EXPIRATION = 'pgauge.auth.credentials.expiration';
const PROVIDER = 'pgauge.auth.provider.name';

afterEach(cleanUp);

class FakeCredentials implements CredentialsSource {
  readonly provider: string;
  endAtMs: number | undefined;
  readonly observers = new Set<CredentialsObserver>();

  constructor(provider = 'awsRdsIam') {
    this.provider = provider;
  }

  observe = (observer: CredentialsObserver) => {
    this.observers.add(observer);
    return () => void this.observers.delete(observer);
  };
  expireAtMs = () => this.endAtMs;
  fetch(durationMs: number, error?: unknown) {
    for (const observer of this.observers) observer.fetched(this.provider, durationMs, error);
  }
}

/** A pool that logs in with these credentials. */
function using(sources: readonly CredentialsSource[], options?: Partial<TelemetryOptions>): PoolTelemetry {
  const telemetry = observed({}, options);
  for (const source of sources) void logIn(telemetry, source.provider, source);
  return telemetry;
}

function logIn(
  { observer }: PoolTelemetry,
  provider: string,
  ...credentials: CredentialsSource[]
): Promise<string> {
  return observer.connecting(undefined).token({ provider, credentials }, () => Promise.resolve('token'));
}

describe('fetches of credentials', () => {
  it('are recorded with their provider, failed ones with their error type', async () => {
    const { meterProvider, points } = meterSdk();
    const credentials = new FakeCredentials();
    using([credentials], { meterProvider }).watch(idleGauges());
    credentials.fetch(250);
    credentials.fetch(1_000, Object.assign(new Error('canary'), { code: 'ECONNREFUSED' }));
    expect(
      (await points(FETCH)).map(({ attributes, value }) => [attributes, (value as { sum: number }).sum]),
    ).toEqual([
      [{ [PROVIDER]: 'awsRdsIam' }, 0.25],
      [{ [PROVIDER]: 'awsRdsIam', 'error.type': 'ECONNREFUSED' }, 1],
    ]);
  });

  it('are recorded once for all pools of a meter, and once for each meter', async () => {
    const [one, two] = [meterSdk(), meterSdk()];
    const credentials = new FakeCredentials();
    for (const { meterProvider } of [one, one, two]) using([credentials], { meterProvider });
    credentials.fetch(1);
    expect(await one.value(FETCH)).toMatchObject({ count: 1 });
    expect(await two.value(FETCH)).toMatchObject({ count: 1 });
  });

  it('are recorded until the last pool of the meter has ended', async () => {
    const { meterProvider, value } = meterSdk();
    const credentials = new FakeCredentials();
    const [one, two] = [1, 2].map(() => using([credentials], { meterProvider }).observer);
    one?.ended();
    one?.ended();
    credentials.fetch(1);
    two?.ended();
    expect(credentials.observers.size).toBe(0);
    credentials.fetch(1);
    expect(await value(FETCH)).toMatchObject({ count: 1 });
    using([credentials], { meterProvider });
    credentials.fetch(1);
    expect(await value(FETCH)).toMatchObject({ count: 2 });
  });

  it('are recorded from the first token that is signed with them, and not before', async () => {
    const { meterProvider, value, collect } = meterSdk();
    const credentials = new FakeCredentials();
    const pool = using([], { meterProvider });
    await logIn(pool, 'vault');
    expect(credentials.observers.size).toBe(0);
    expect((await collect()).map(({ descriptor }) => descriptor.name)).not.toContain(FETCH);
    await pool.observer
      .connecting(undefined)
      .token({ provider: 'awsRdsIam', credentials: [credentials] }, () => {
        credentials.fetch(7);
        return Promise.resolve('token');
      });
    expect(await value(FETCH)).toMatchObject({ count: 1 });
  });

  it('are recorded for each of the providers of one pool', async () => {
    const { meterProvider, points } = meterSdk();
    const [aws, vault] = [new FakeCredentials(), new FakeCredentials('vault')];
    const pool = using([aws], { meterProvider });
    for (const source of [aws, vault]) source.fetch(1);
    const providers = async () => (await points(FETCH)).map(({ attributes }) => attributes[PROVIDER]);
    expect(await providers()).toEqual(['awsRdsIam']);
    await logIn(pool, 'vault', vault);
    vault.fetch(1);
    expect(await providers()).toEqual(['awsRdsIam', 'vault']);
    pool.observer.ended();
    expect([aws.observers.size, vault.observers.size]).toEqual([0, 0]);
  });

  it('are recorded by the current global meter, and not observed without an SDK', async () => {
    const [before, after] = [meterSdk(), meterSdk()];
    const credentials = new FakeCredentials();
    const { observer } = using([credentials]);
    expect(credentials.observers.size).toBe(0);
    for (const { meterProvider } of [before, after]) {
      metrics.disable();
      metrics.setGlobalMeterProvider(meterProvider);
      observer.acquired(1);
      expect(credentials.observers.size).toBe(1);
      credentials.fetch(1);
    }
    expect(await before.value(FETCH)).toMatchObject({ count: 1 });
    expect(await after.value(FETCH)).toMatchObject({ count: 1 });
  });

  it('do not fail the pool if they cannot be observed', () => {
    const { meterProvider } = meterSdk();
    const broken = () => {
      throw new Error('broken');
    };
    const credentials = { provider: 'awsRdsIam', observe: broken, expireAtMs: broken };
    expect(() => using([credentials], { meterProvider }).observer.ended()).not.toThrow();
  });
});

describe('the expiration of credentials', () => {
  it('is a Unix time in seconds, once per meter, and absent while they do not expire', async () => {
    const { meterProvider, points } = meterSdk();
    const credentials = new FakeCredentials();
    using([credentials], { meterProvider }).watch(idleGauges());
    using([credentials], { meterProvider }).watch(idleGauges());
    expect(await points(EXPIRATION)).toEqual([]);
    credentials.endAtMs = 1_800_000_000_500;
    expect(await points(EXPIRATION)).toMatchObject([
      { value: 1_800_000_000.5, attributes: { [PROVIDER]: 'awsRdsIam' } },
    ]);
  });

  it('is the first one of several credentials of one provider', async () => {
    const { meterProvider, value } = meterSdk();
    const [late, early] = [new FakeCredentials(), new FakeCredentials()];
    late.endAtMs = 9_000;
    early.endAtMs = 5_000;
    using([late], { meterProvider });
    const { observer } = using([early], { meterProvider });
    expect(await value(EXPIRATION)).toBe(5);
    observer.ended();
    expect(await value(EXPIRATION)).toBe(9);
  });

  it('is 0 after they are replaced by credentials that do not expire', async () => {
    const { meterProvider, value } = meterSdk();
    const credentials = new FakeCredentials();
    using([credentials], { meterProvider });
    credentials.endAtMs = 1_000;
    expect(await value(EXPIRATION)).toBe(1);
    credentials.endAtMs = undefined;
    // Collect twice, because the SDK repeats the last value it saw.
    for (let n = 0; n < 2; n += 1) expect(await value(EXPIRATION)).toBe(0);
  });

  it('is 0 once no pool uses them, and then no longer observed', async () => {
    const { meterProvider, points } = meterSdk(AggregationTemporality.DELTA);
    const credentials = new FakeCredentials();
    credentials.endAtMs = 1_000;
    const { observer } = using([credentials], { meterProvider });
    const seen = async () => (await points(EXPIRATION)).map(({ value }) => value);
    expect(await seen()).toEqual([1]);
    observer.ended();
    expect([await seen(), await seen()]).toEqual([[0], []]);
  });
});
