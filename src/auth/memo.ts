import { setTimeout as sleep } from 'node:timers/promises';

/** What is held, by the time it ends; held for good when it has no `expiration`. */
export interface Perishable {
  readonly expiration?: Date;
}

/** A token made with credentials is often valid for 15 minutes, but never longer than the credentials themselves. */
const RENEW_BEFORE_MS = 15 * 60_000;
/** Credentials that are valid for less than that from the start would otherwise be renewed for every token. */
const RENEW_INTERVAL_MS = 60_000;
/** How long a token waits for renewed credentials while the current ones are still valid. */
const RENEW_WAIT_MS = 2_000;
/** A fetch that has been running for longer is no longer joined: it hangs. */
const JOIN_WITHIN_MS = 10_000;
/** Many logins are rejected at once when a key is rotated, and keep being rejected if the key is not the reason. */
const SUSPECT_INTERVAL_MS = 10_000;

interface Fetch<Held> {
  readonly startedAt: number;
  readonly result: Promise<Held>;
}

/** Credentials of one source: one fetch serves all concurrent callers; they are kept while valid and renewed before they end. */
export class CredentialMemo<Held extends Perishable> {
  readonly #report: (durationMs: number, error?: unknown) => void;
  #held: Held | undefined;
  #heldSince = -Infinity;
  #fetch: Fetch<Held> | undefined;
  #fetchedAt = -Infinity;
  #suspect = false;
  #suspectedAt = -Infinity;

  /** `report` is called as each fetch ends. */
  constructor(report: (durationMs: number, error?: unknown) => void) {
    this.#report = report;
  }

  /** Unix time in milliseconds at which the current credentials end. */
  get expireAtMs(): number | undefined {
    return this.#held?.expiration?.getTime();
  }

  /** The current credentials, or those of `fetch` if there are none that are valid; if a renewal fails, the current ones stay in use until they end. */
  async get(fetch: () => Promise<Held>): Promise<Held> {
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

  /** Makes the next `get` fetch again, at most once in 10 s. */
  suspect(): void {
    const now = performance.now();
    if (now - this.#suspectedAt < SUSPECT_INTERVAL_MS) return;
    this.#suspectedAt = now;
    this.#suspect = true;
  }

  #start(fetch: () => Promise<Held>, startedAt: number): Fetch<Held> {
    this.#suspect = false;
    this.#fetchedAt = startedAt;
    const started: Fetch<Held> = { startedAt, result: this.#run(fetch, startedAt) };
    this.#fetch = started;
    const done = (): void => {
      if (this.#fetch === started) this.#fetch = undefined;
    };
    started.result.then(done, done);
    return started;
  }

  async #run(fetch: () => Promise<Held>, startedAt: number): Promise<Held> {
    try {
      const found = await fetch();
      // A fetch that hung may end after one that started later.
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

/** The renewed credentials if they arrive within `waitMs`, else the current ones. */
async function firstOf<Held>(renewed: Promise<Held>, held: Held, waitMs: number): Promise<Held> {
  const timer = new AbortController();
  const late = sleep(waitMs, held, { signal: timer.signal }).catch(() => held);
  try {
    return await Promise.race([renewed.catch(() => held), late]);
  } finally {
    timer.abort();
  }
}
