import type { Attributes, BatchObservableResult, Histogram, Observable } from '@opentelemetry/api';
import { ErrorTypes } from '../error-type.js';
import { quietly } from '../guard.js';
import { ATTR } from '../names.js';

/** The session credentials that a process's tokens are signed with. */
export interface CredentialsSource {
  /** The backend whose tokens they sign, as in `dynamicAuth`. */
  readonly provider: string;
  /** Subscribes to real fetches, each told once as it ends; returns the function that unsubscribes. */
  observe(observer: { fetched(provider: string, durationMs: number, error?: unknown): void }): () => void;
  /** Unix time in milliseconds at which those held now end; `undefined` while none are held or they do not end. */
  expireAtMs(): number | undefined;
}

interface Use {
  readonly source: CredentialsSource;
  readonly attributes: Attributes;
  readonly unsubscribe: () => void;
  pools: number;
  /** The end was observed, so that the SDK repeats it until it is told otherwise. */
  shown: boolean;
}

/** Credentials as one meter sees them: they belong to the process, so all pools of a meter share one observation. */
export class MeterCredentials {
  private readonly uses = new Map<CredentialsSource, Use>();
  private readonly errorTypes = new ErrorTypes();

  constructor(private readonly fetchDuration: Histogram) {}

  /** One more pool of this meter uses the credentials. */
  join(source: CredentialsSource): void {
    const use = this.uses.get(source);
    if (use !== undefined && use.pools++ > 0) return;
    const attributes = { [ATTR.authProviderName]: source.provider };
    const unsubscribe = source.observe({
      fetched: (provider, durationMs, error) => this.fetched(provider, durationMs, error),
    });
    this.uses.set(source, { source, attributes, unsubscribe, pools: 1, shown: use?.shown ?? false });
  }

  /** One pool fewer; after the last the meter hears of no more fetches. */
  leave(source: CredentialsSource): void {
    const use = this.uses.get(source);
    if (use === undefined || use.pools === 0 || --use.pools > 0) return;
    quietly(use.unsubscribe);
    if (!use.shown) this.uses.delete(source);
  }

  /** Observes when the credentials end; once they do not, or nobody uses them, 0 for a last time. */
  observe(result: BatchObservableResult, expiration: Observable): void {
    for (const use of this.uses.values()) {
      const endsAtMs = use.pools === 0 ? undefined : quietly(() => use.source.expireAtMs());
      if (endsAtMs !== undefined) result.observe(expiration, endsAtMs / 1000, use.attributes);
      else if (use.shown) result.observe(expiration, 0, use.attributes);
      use.shown = endsAtMs !== undefined;
      if (use.pools === 0) this.uses.delete(use.source);
    }
  }

  private fetched(provider: string, durationMs: number, error: unknown): void {
    const attributes = {
      [ATTR.authProviderName]: provider,
      ...(error !== undefined && { [ATTR.errorType]: this.errorTypes.of(error) }),
    };
    quietly(() => this.fetchDuration.record(durationMs / 1000, attributes));
  }
}
