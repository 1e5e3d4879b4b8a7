import type { Attributes, Histogram, Meter, MeterProvider } from '@opentelemetry/api';
import { metrics } from '@opentelemetry/api';
import type { CredentialsSource } from '../../hooks.js';
import type { CancelReason, CloseReason, PoolGauges, SessionHook } from '../../observer.js';
import { quietly } from '../guard.js';
import type { PoolIdentity } from '../identity.js';
import { ATTR, SCOPE } from '../names.js';
import { PoolCredentials } from './credentials.js';
import { type Instruments, instrumentsOf } from './instruments.js';
import { ObservedPool } from './observed-pools.js';
import { newTally } from './tally.js';

/** The destination of metrics; by default the global meter provider, even if it is registered later. */
export interface MeterOptions {
  readonly meter?: Meter | undefined;
  readonly meterProvider?: MeterProvider | undefined;
}

/** The metrics of one pool. */
export class PoolMetrics {
  readonly #identity: PoolIdentity;
  readonly #poolName: string;
  readonly #attributes: Attributes;
  readonly #failures = new Map<string, Attributes>();
  readonly #tally = newTally();
  readonly #credentials = new PoolCredentials();
  readonly #followsGlobal: boolean;
  #provider: MeterProvider | undefined;
  #instruments: Instruments | undefined;
  #gauges: PoolGauges | undefined;
  #observed: ObservedPool | undefined;
  #hasEnded = false;

  constructor(identity: PoolIdentity, poolName: string, { meter, meterProvider }: MeterOptions) {
    this.#identity = identity;
    this.#poolName = poolName;
    this.#attributes = { [ATTR.poolName]: poolName };
    this.#followsGlobal = meter === undefined && meterProvider === undefined;
    if (this.#followsGlobal) this.follow();
    else this.#reportTo(() => meter ?? (meterProvider && meterOf(meterProvider)));
  }

  /** Moves to the current global provider if it has changed, since instruments stay with the provider that created them. */
  follow(): void {
    if (this.#followsGlobal && metrics.getMeterProvider() !== this.#provider) this.#followGlobal();
  }

  /** An acquire was served at once. */
  acquired(waitMs: number): void {
    this.follow();
    if (this.#instruments !== undefined) record(this.#instruments.waitTime, waitMs, this.#attributes);
  }

  /** An acquire that was not served at once has ended; `errorType` if it failed. */
  waited(waitMs: number, errorType?: string): void {
    if (this.#instruments !== undefined)
      record(this.#instruments.waitTime, waitMs, this.#withError(errorType));
  }

  /** A checkout has ended. */
  released(useMs: number): void {
    if (this.#instruments !== undefined) record(this.#instruments.useTime, useMs, this.#attributes);
  }

  /** A connection attempt has ended; `errorType` if it failed. */
  created(durationMs: number, errorType?: string): void {
    if (errorType === undefined) this.#tally.opened++;
    if (this.#instruments !== undefined)
      record(this.#instruments.createTime, durationMs, this.#withError(errorType));
  }

  /** The pool logs in with these credentials, whose metrics are reported from now on. */
  uses(credentials: readonly CredentialsSource[]): void {
    if (!this.#hasEnded) this.#credentials.use(credentials);
  }

  /** A token refresh has ended; `errorType` if it failed. */
  tokenRefreshed(provider: string, durationMs: number, errorType?: string): void {
    if (this.#instruments === undefined) return;
    record(this.#instruments.tokenRefreshDuration, durationMs, {
      ...this.#withError(errorType),
      [ATTR.authProviderName]: provider,
    });
  }

  /** A run of `onAcquire` or `resetSession` has ended; `errorType` if it failed. */
  sessionHook(hook: SessionHook, durationMs: number, errorType?: string): void {
    this.follow();
    if (this.#instruments === undefined) return;
    record(this.#instruments.sessionHookDuration, durationMs, {
      ...this.#withError(errorType),
      [ATTR.sessionHook]: hook,
    });
  }

  /** A query has ended; `attributes` are those of its series. */
  queried(durationMs: number, attributes: Attributes): void {
    this.follow();
    if (this.#instruments !== undefined) record(this.#instruments.operationDuration, durationMs, attributes);
  }

  /** A query returned `rows` rows. */
  returned(rows: number, attributes: Attributes): void {
    if (this.#instruments !== undefined) record(this.#instruments.returnedRows, rows, attributes, 1);
  }

  /** A query was stopped before it was answered. */
  queryCanceled(reason: CancelReason): void {
    this.#tally.canceled[reason]++;
  }

  /** A connection was closed, or a login failed on an open socket. */
  closed(reason: CloseReason): void {
    this.#tally.closed[reason]++;
  }

  /** Starts to observe the pool's gauges. */
  watch(gauges: PoolGauges): void {
    this.#gauges = gauges;
    this.#observe();
  }

  /** The pool has ended: its observables are reported once more. */
  ended(): void {
    this.#hasEnded = true;
    this.#unobserve();
    this.#credentials.moveTo(undefined);
    this.#gauges = undefined;
  }

  /** Cumulative: connections opened and closed. */
  totals(): { readonly opened: number; readonly closed: number } {
    return {
      opened: this.#tally.opened,
      closed: Object.values(this.#tally.closed).reduce((sum, count) => sum + count, 0),
    };
  }

  #followGlobal(): void {
    const provider = metrics.getMeterProvider();
    this.#provider = provider;
    this.#reportTo(() => meterOf(provider));
  }

  #reportTo(meter: () => Meter | undefined): void {
    this.#unobserve();
    this.#instruments = quietly(() => instrumentsOf(meter()));
    this.#observe();
    this.#credentials.moveTo(this.#hasEnded ? undefined : this.#instruments?.credentials);
  }

  #observe(): void {
    const gauges = this.#gauges;
    if (gauges === undefined || this.#instruments === undefined || this.#hasEnded) return;
    this.#unobserve();
    this.#observed = quietly(() => new ObservedPool(this.#identity, this.#poolName, gauges, this.#tally));
    if (this.#observed !== undefined) this.#instruments.pools.add(this.#observed);
  }

  #unobserve(): void {
    const observed = this.#observed;
    if (observed !== undefined) quietly(() => observed.retire());
    this.#observed = undefined;
  }

  #withError(errorType: string | undefined): Attributes {
    if (errorType === undefined) return this.#attributes;
    let attributes = this.#failures.get(errorType);
    if (attributes === undefined) {
      attributes = { ...this.#attributes, [ATTR.errorType]: errorType };
      this.#failures.set(errorType, attributes);
    }
    return attributes;
  }
}

function meterOf(provider: MeterProvider): Meter {
  return provider.getMeter(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl });
}

/** Records a time in milliseconds as seconds, or with `unit` 1 another number unchanged. */
function record(histogram: Histogram, value: number, attributes: Attributes, unit = 1000): void {
  try {
    histogram.record(value / unit, attributes);
  } catch {
    // A meter that throws must not fail an acquire, a release or a query.
  }
}
