import { metrics } from '@opentelemetry/api';
import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import type { CredentialsObserver, CredentialsSource } from '../../../../src/observer.js';
import { cleanUp, idleGauges, meterSdk, observed } from '../../../support/telemetry.js';

const FETCH = 'pgauge.auth.credentials.fetch.duration';
const EXPIRATION = 'pgauge.auth.credentials.expiration';
const PROVIDER = 'pgauge.auth.provider.name';
const AWS = { authProvider: 'awsRdsIam' };

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

describe('fetches of credentials', () => {
  it('are recorded with their provider, failed ones with their error type', async () => {
    const { meterProvider, points } = meterSdk();
    const credentials = new FakeCredentials();
    observed(AWS, { meterProvider, credentials: [credentials] }).watch(idleGauges());
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
    for (const { meterProvider } of [one, one, two])
      observed(AWS, { meterProvider, credentials: [credentials] });
    credentials.fetch(1);
    expect(await one.value(FETCH)).toMatchObject({ count: 1 });
    expect(await two.value(FETCH)).toMatchObject({ count: 1 });
  });

  it('are recorded until the last pool of the meter has ended', async () => {
    const { meterProvider, value } = meterSdk();
    const credentials = new FakeCredentials();
    const [one, two] = [1, 2].map(
      () => observed(AWS, { meterProvider, credentials: [credentials] }).observer,
    );
    one?.ended();
    one?.ended();
    credentials.fetch(1);
    two?.ended();
    expect(credentials.observers.size).toBe(0);
    credentials.fetch(1);
    expect(await value(FETCH)).toMatchObject({ count: 1 });
    observed(AWS, { meterProvider, credentials: [credentials] });
    credentials.fetch(1);
    expect(await value(FETCH)).toMatchObject({ count: 2 });
  });

  it('are not recorded for a pool without tokens, or with tokens of another provider', async () => {
    const { meterProvider, collect } = meterSdk();
    const credentials = new FakeCredentials();
    const { observer } = observed({}, { meterProvider, credentials: [credentials] });
    await observer.connecting(undefined).token({ provider: 'vault' }, () => Promise.resolve('token'));
    expect(credentials.observers.size).toBe(0);
    credentials.fetch(1);
    expect((await collect()).map(({ descriptor }) => descriptor.name)).not.toContain(FETCH);
  });

  it('are recorded from the first token that a hook requests', async () => {
    const { meterProvider, value } = meterSdk();
    const credentials = new FakeCredentials();
    const { observer } = observed({}, { meterProvider, credentials: [credentials] });
    await observer.connecting(undefined).token({ provider: 'awsRdsIam' }, () => {
      credentials.fetch(7);
      return Promise.resolve('token');
    });
    expect(await value(FETCH)).toMatchObject({ count: 1 });
  });

  it('are recorded for the provider of the pool’s tokens only, of several', async () => {
    const { meterProvider, points } = meterSdk();
    const [aws, vault] = [new FakeCredentials(), new FakeCredentials('vault')];
    const { observer } = observed(AWS, { meterProvider, credentials: [vault, aws] });
    for (const source of [aws, vault]) source.fetch(1);
    const providers = async () => (await points(FETCH)).map(({ attributes }) => attributes[PROVIDER]);
    expect(await providers()).toEqual(['awsRdsIam']);
    await observer.connecting(undefined).token({ provider: 'vault' }, () => Promise.resolve('token'));
    vault.fetch(1);
    expect(await providers()).toEqual(['awsRdsIam', 'vault']);
    observer.ended();
    expect([aws.observers.size, vault.observers.size]).toEqual([0, 0]);
  });

  it('are recorded by the current global meter, and not observed without an SDK', async () => {
    const [before, after] = [meterSdk(), meterSdk()];
    const credentials = new FakeCredentials();
    const { observer } = observed(AWS, { credentials: [credentials] });
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
    expect(() => observed(AWS, { meterProvider, credentials: [credentials] }).observer.ended()).not.toThrow();
  });
});

describe('the expiration of credentials', () => {
  it('is a Unix time in seconds, once per meter, and absent while they do not expire', async () => {
    const { meterProvider, points } = meterSdk();
    const credentials = new FakeCredentials();
    observed(AWS, { meterProvider, credentials: [credentials] }).watch(idleGauges());
    observed(AWS, { meterProvider, credentials: [credentials] }).watch(idleGauges());
    expect(await points(EXPIRATION)).toEqual([]);
    credentials.endAtMs = 1_800_000_000_500;
    expect(await points(EXPIRATION)).toMatchObject([
      { value: 1_800_000_000.5, attributes: { [PROVIDER]: 'awsRdsIam' } },
    ]);
  });

  it('is 0 after they are replaced by credentials that do not expire', async () => {
    const { meterProvider, value } = meterSdk();
    const credentials = new FakeCredentials();
    observed(AWS, { meterProvider, credentials: [credentials] });
    credentials.endAtMs = 1_000;
    expect(await value(EXPIRATION)).toBe(1);
    credentials.endAtMs = undefined;
    // Twice, as the SDK repeats the last value it saw.
    for (let n = 0; n < 2; n += 1) expect(await value(EXPIRATION)).toBe(0);
  });

  it('is 0 once no pool uses them, and then no longer observed', async () => {
    const { meterProvider, points } = meterSdk(AggregationTemporality.DELTA);
    const credentials = new FakeCredentials();
    credentials.endAtMs = 1_000;
    const { observer } = observed(AWS, { meterProvider, credentials: [credentials] });
    const seen = async () => (await points(EXPIRATION)).map(({ value }) => value);
    expect(await seen()).toEqual([1]);
    observer.ended();
    expect([await seen(), await seen()]).toEqual([[0], []]);
  });
});
