import type { Attributes, BatchObservableResult, Histogram, Observable } from '@opentelemetry/api';
import type { CredentialsSource } from '../../hooks.js';
import { ErrorTypes } from '../error-type.js';
import { quietly } from '../guard.js';
import { ATTR } from '../names.js';

interface Use {
  readonly unsubscribe: () => void;
  pools: number;
}

/** The credentials that one meter observes: they may serve several pools, which share one observation. */
export class MeterCredentials {
  readonly #uses = new Map<CredentialsSource, Use>();
  /** The providers whose expiration the last collection reported: the SDK repeats it until it gets another value. */
  #shown = new Set<string>();
  readonly #attributes = new Map<string, Attributes>();
  readonly #errorTypes = new ErrorTypes();
  readonly #fetchDuration: Histogram;

  constructor(fetchDuration: Histogram) {
    this.#fetchDuration = fetchDuration;
  }

  /** Adds one pool of this meter that uses the credentials. */
  join(source: CredentialsSource): void {
    const use = this.#uses.get(source);
    if (use !== undefined) {
      use.pools += 1;
      return;
    }
    const unsubscribe = source.observe({
      fetched: (provider, durationMs, error) => this.#fetched(provider, durationMs, error),
    });
    this.#uses.set(source, { unsubscribe, pools: 1 });
  }

  /** Removes one pool; with the last one the subscription to fetches ends. */
  leave(source: CredentialsSource): void {
    const use = this.#uses.get(source);
    if (use === undefined || --use.pools > 0) return;
    this.#uses.delete(source);
    quietly(use.unsubscribe);
  }

  /**
   * Observes the expiry of each provider's credentials, of several the earliest; once they no longer expire, or no pool
   * uses them, it observes 0 for the last time.
   */
  observe(result: BatchObservableResult, expiration: Observable): void {
    const ends = new Map<string, number>();
    for (const source of this.#uses.keys()) {
      const endMs = quietly(() => source.expireAtMs());
      if (endMs !== undefined)
        ends.set(source.provider, Math.min(endMs, ends.get(source.provider) ?? Infinity));
    }
    for (const [provider, endMs] of ends)
      result.observe(expiration, endMs / 1000, this.#attributesOf(provider));
    for (const provider of this.#shown)
      if (!ends.has(provider)) result.observe(expiration, 0, this.#attributesOf(provider));
    this.#shown = new Set(ends.keys());
  }

  #attributesOf(provider: string): Attributes {
    let attributes = this.#attributes.get(provider);
    if (attributes === undefined) {
      attributes = { [ATTR.authProviderName]: provider };
      this.#attributes.set(provider, attributes);
    }
    return attributes;
  }

  #fetched(provider: string, durationMs: number, error: unknown): void {
    const attributes = {
      [ATTR.authProviderName]: provider,
      ...(error !== undefined && { [ATTR.errorType]: this.#errorTypes.of(error) }),
    };
    quietly(() => this.#fetchDuration.record(durationMs / 1000, attributes));
  }
}

/** The credentials with which one pool logs in, observed by the meter to which the pool reports. */
export class PoolCredentials {
  readonly #used = new Set<CredentialsSource>();
  #meter: MeterCredentials | undefined;

  /** Observes these credentials from now on. */
  use(sources: readonly CredentialsSource[]): void {
    for (const source of sources) {
      if (this.#used.has(source)) continue;
      this.#used.add(source);
      this.#join(source);
    }
  }

  /** Moves to another meter; `undefined` for none, or if the pool has ended. */
  moveTo(meter: MeterCredentials | undefined): void {
    for (const source of this.#used) this.#meter?.leave(source);
    this.#meter = meter;
    for (const source of this.#used) this.#join(source);
  }

  #join(source: CredentialsSource): void {
    quietly(() => this.#meter?.join(source));
  }
}
