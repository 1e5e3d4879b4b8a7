import type { Attributes, BatchObservableResult, Histogram, Observable } from '@opentelemetry/api';
import type { CredentialsSource } from '../../observer.js';
import { ErrorTypes } from '../error-type.js';
import { quietly } from '../guard.js';
import { ATTR } from '../names.js';

interface Use {
  readonly source: CredentialsSource;
  readonly attributes: Attributes;
  readonly unsubscribe: () => void;
  pools: number;
  /** Whether the last collection reported an expiration; the SDK repeats it until it gets another value. */
  shown: boolean;
}

/** The credentials that one meter observes: they belong to the process, so all pools of a meter share one observation. */
export class MeterCredentials {
  /** By provider: the sources of two copies of this package in one process are two objects for the same credentials. */
  readonly #uses = new Map<string, Use>();
  readonly #errorTypes = new ErrorTypes();
  readonly #fetchDuration: Histogram;

  constructor(fetchDuration: Histogram) {
    this.#fetchDuration = fetchDuration;
  }

  /** Adds one pool of this meter that uses the credentials. */
  join(source: CredentialsSource): void {
    const use = this.#uses.get(source.provider);
    if (use !== undefined && use.pools++ > 0) return;
    const attributes = { [ATTR.authProviderName]: source.provider };
    const unsubscribe = source.observe({
      fetched: (provider, durationMs, error) => this.#fetched(provider, durationMs, error),
    });
    this.#uses.set(source.provider, {
      source,
      attributes,
      unsubscribe,
      pools: 1,
      shown: use?.shown ?? false,
    });
  }

  /** Removes one pool; with the last one the subscription to fetches ends. */
  leave(source: CredentialsSource): void {
    const use = this.#uses.get(source.provider);
    if (use === undefined || use.pools === 0 || --use.pools > 0) return;
    quietly(use.unsubscribe);
    if (!use.shown) this.#uses.delete(source.provider);
  }

  /** Observes when the credentials expire; once they no longer do, or no pool uses them, it observes 0 for the last time. */
  observe(result: BatchObservableResult, expiration: Observable): void {
    for (const use of this.#uses.values()) {
      const endsAtMs = use.pools === 0 ? undefined : quietly(() => use.source.expireAtMs());
      if (endsAtMs !== undefined) result.observe(expiration, endsAtMs / 1000, use.attributes);
      else if (use.shown) result.observe(expiration, 0, use.attributes);
      use.shown = endsAtMs !== undefined;
      if (use.pools === 0) this.#uses.delete(use.source.provider);
    }
  }

  #fetched(provider: string, durationMs: number, error: unknown): void {
    const attributes = {
      [ATTR.authProviderName]: provider,
      ...(error !== undefined && { [ATTR.errorType]: this.#errorTypes.of(error) }),
    };
    quietly(() => this.#fetchDuration.record(durationMs / 1000, attributes));
  }
}

/** The credentials that sign the tokens of one pool, observed by the meter to which the pool reports. */
export class PoolCredentials {
  readonly #sources: readonly CredentialsSource[];
  readonly #used = new Set<CredentialsSource>();
  #meter: MeterCredentials | undefined;

  constructor(sources: readonly CredentialsSource[]) {
    this.#sources = sources;
  }

  /** The pool's tokens come from `provider`: observes that provider's credentials from now on. */
  tokensFrom(provider: string): void {
    for (const source of this.#sources) {
      if (source.provider !== provider || this.#used.has(source)) continue;
      this.#used.add(source);
      this.#join(source);
    }
  }

  /** Moves to another meter; `undefined`: no meter, or the pool has ended. */
  moveTo(meter: MeterCredentials | undefined): void {
    for (const source of this.#used) this.#meter?.leave(source);
    this.#meter = meter;
    for (const source of this.#used) this.#join(source);
  }

  #join(source: CredentialsSource): void {
    quietly(() => this.#meter?.join(source));
  }
}
