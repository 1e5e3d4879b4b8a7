import { setTimeout as sleep } from 'node:timers/promises';

/** AWS credentials as the SDK's Signer takes them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When the session ends; unset for long-lived keys. */
  readonly expiration?: Date;
}

/** A token lives for 15 minutes, but not longer than the credentials that signed it. */
const RENEW_BEFORE_MS = 15 * 60_000;
/** Sessions that are shorter than that from the start would otherwise be renewed for every token. */
const RENEW_INTERVAL_MS = 60_000;
/** How long a token waits for renewed credentials while those held still serve. */
const RENEW_WAIT_MS = 2_000;
/** A fetch that hangs for longer is no longer joined. */
const JOIN_WITHIN_MS = 10_000;
/** Many logins are rejected at once when a key is rotated, and go on being rejected when the key was not the reason. */
const SUSPECT_INTERVAL_MS = 10_000;

interface Fetch {
  readonly startedAt: number;
  readonly result: Promise<AwsCredentials>;
}

/** One source's credentials: fetched once for all who ask at a time, kept while they serve, renewed ahead of their end. */
export class CredentialMemo {
  readonly #report: (durationMs: number, error?: unknown) => void;
  #held: AwsCredentials | undefined;
  #heldSince = -Infinity;
  #fetch: Fetch | undefined;
  #fetchedAt = -Infinity;
  #suspect = false;
  #suspectedAt = -Infinity;

  /** `report` is told of each fetch as it ends. */
  constructor(report: (durationMs: number, error?: unknown) => void) {
    this.#report = report;
  }

  /** Unix time in milliseconds at which the credentials held now end. */
  get expireAtMs(): number | undefined {
    return this.#held?.expiration?.getTime();
  }

  /** The credentials held, or fetched by `fetch` if none serve; a failed renewal leaves those held in use until they end. */
  async get(fetch: () => Promise<AwsCredentials>): Promise<AwsCredentials> {
    const now = performance.now();
    const running = this.#fetch && now - this.#fetch.startedAt < JOIN_WITHIN_MS ? this.#fetch : undefined;
    const held = this.#held;
    const leftMs = held ? (this.expireAtMs ?? Infinity) - Date.now() : 0;
    if (!held || leftMs <= 0) return await (running ?? this.#start(fetch, now)).result;

    const due = this.#suspect || (leftMs < RENEW_BEFORE_MS && now - this.#fetchedAt >= RENEW_INTERVAL_MS);
    const renewal = running ?? (due ? this.#start(fetch, now) : undefined);
    if (!renewal) return held;
    const waitMs = renewal.startedAt + RENEW_WAIT_MS - now;
    return waitMs > 0 ? await firstOf(renewal.result, held, waitMs) : held;
  }

  /** Makes the next `get` fetch anew, at most once in 10 s. */
  suspect(): void {
    const now = performance.now();
    if (now - this.#suspectedAt < SUSPECT_INTERVAL_MS) return;
    this.#suspectedAt = now;
    this.#suspect = true;
  }

  #start(fetch: () => Promise<AwsCredentials>, startedAt: number): Fetch {
    this.#suspect = false;
    this.#fetchedAt = startedAt;
    const started: Fetch = { startedAt, result: this.#run(fetch, startedAt) };
    this.#fetch = started;
    const done = (): void => {
      if (this.#fetch === started) this.#fetch = undefined;
    };
    started.result.then(done, done);
    return started;
  }

  async #run(fetch: () => Promise<AwsCredentials>, startedAt: number): Promise<AwsCredentials> {
    try {
      const found = await fetch();
      // A fetch that hung may end after a later one.
      if (startedAt >= this.#heldSince) {
        this.#held = found;
        this.#heldSince = startedAt;
      }
      this.#report(performance.now() - startedAt);
      return found;
    } catch (error) {
      this.#report(performance.now() - startedAt, error);
      throw error;
    }
  }
}

/** The renewed credentials if they come within `waitMs`, else those held. */
async function firstOf(
  renewed: Promise<AwsCredentials>,
  held: AwsCredentials,
  waitMs: number,
): Promise<AwsCredentials> {
  const timer = new AbortController();
  const late = sleep(waitMs, held, { signal: timer.signal }).catch(() => held);
  try {
    return await Promise.race([renewed.catch(() => held), late]);
  } finally {
    timer.abort();
  }
}
