import type { CredentialsObserver, CredentialsSource } from '../../hooks.js';
import { sharedByVersion } from '../../process-state.js';
import { CredentialMemo } from '../memo.js';
import { isCurrent, selectionNow, type Selection } from './environment.js';
import { fetchCredentials } from './fetch.js';
import type { AwsCredentials, AwsIdentity } from './identity.js';
import type { AwsProviders } from './sdk.js';
import { SharedByKey } from './shared-by-key.js';

/** A token made with credentials is often valid for 15 minutes, but never longer than the credentials themselves. */
const RENEW_BEFORE_MS = 15 * 60_000;

interface Selected {
  /** Unset when the environment does not affect the choice. */
  readonly selection: Selection | undefined;
  readonly memo: CredentialMemo<AwsCredentials>;
}

/** The credentials of one identity, fetched once for all pools that use it. */
export class AwsCredentialsSource implements CredentialsSource {
  readonly provider: string;
  readonly #identity: AwsIdentity;
  readonly #observers = new Set<CredentialsObserver>();
  #selected: Selected | undefined;

  constructor(provider: string, identity: AwsIdentity) {
    this.provider = provider;
    this.#identity = identity;
  }

  observe(observer: CredentialsObserver): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  expireAtMs(): number | undefined {
    return this.#selected?.memo.expireAtMs;
  }

  /** The credentials that the environment selects now; STS is called in `region`. Rejects with the SDK's own error. */
  get(sdk: AwsProviders, region: string): Promise<AwsCredentials> {
    const known = this.#selected;
    const isKnown = known && (known.selection === undefined || isCurrent(known.selection));
    const { memo } = isKnown ? known : (this.#selected = this.#select());
    return memo.get(() => fetchCredentials(sdk, this.#identity, region, memo.hasFetched));
  }

  /** Call after a rejected login: the next token fetches the credentials again, because they may have been rotated. */
  rejected(): void {
    this.#selected?.memo.suspect();
  }

  #select(): Selected {
    const { credentials, profile, roleArn } = this.#identity;
    const given = credentials !== undefined && roleArn === undefined;
    return {
      selection: given ? undefined : selectionNow(profile !== undefined || roleArn !== undefined),
      memo: new CredentialMemo({
        renewBeforeMs: RENEW_BEFORE_MS,
        report: (durationMs, error) => this.#report(durationMs, error),
      }),
    };
  }

  #report(durationMs: number, error: unknown): void {
    // Credentials given in the settings are not fetched.
    if (typeof this.#identity.credentials === 'object' && this.#identity.roleArn === undefined) return;
    for (const observer of this.#observers) {
      try {
        observer.fetched(this.provider, durationMs, error);
      } catch {
        // Telemetry must never break a login.
      }
    }
  }
}

interface Shared {
  readonly named: SharedByKey<AwsCredentialsSource>;
  readonly given: WeakMap<object, SharedByKey<AwsCredentialsSource>>;
}

// All pools of the process with the same identity share one source, even across copies of this package.
const shared = sharedByVersion<Shared>('awsCredentials', () => ({
  named: new SharedByKey(),
  given: new WeakMap(),
}));

/** The credentials of one identity for one provider: one object per process. */
export function awsCredentialsSource(provider: string, identity: AwsIdentity = {}): AwsCredentialsSource {
  const { profile, roleArn, externalId, sessionName, credentials } = identity;
  const key = JSON.stringify([provider, profile, roleArn, externalId, sessionName]);
  const sources = credentials === undefined ? shared.named : sourcesWith(credentials);
  return sources.get(
    key,
    () => new AwsCredentialsSource(provider, { profile, roleArn, externalId, sessionName, credentials }),
  );
}

function sourcesWith(credentials: object): SharedByKey<AwsCredentialsSource> {
  const known = shared.given.get(credentials);
  if (known !== undefined) return known;
  const sources = new SharedByKey<AwsCredentialsSource>();
  shared.given.set(credentials, sources);
  return sources;
}
