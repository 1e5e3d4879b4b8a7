import { setTimeout as sleep } from 'node:timers/promises';

/** A value that is held until it expires, or permanently if it has no `expiration`. */
export interface Perishable {
  readonly expiration?: Date | undefined;
  /** How long after its fetch it is renewed, in milliseconds, even if it does not expire; default never. */
  readonly renewAfterMs?: number | undefined;
}

/** A value whose whole life is shorter than `renewBeforeMs` would otherwise be renewed for every login. */
const RENEW_INTERVAL_MS = 60_000;
/** How long a login waits for a renewal while the current credentials are still valid. */
const RENEW_WAIT_MS = 2_000;
/** Credentials are not used in the last tenth of their life, or the last 5 s if that is less: the login takes time. */
const END_MARGIN_RATIO = 0.1;
const END_MARGIN_MS = 5_000;
/** A fetch that has been running for longer is assumed to hang, and is no longer joined. */
const JOIN_WITHIN_MS = 10_000;
/** Many logins are rejected at once when a key is rotated, and keep being rejected if the key is not the reason. */
const SUSPECT_INTERVAL_MS = 10_000;

interface Fetch<Held> {
  readonly startedAt: number;
  readonly result: Promise<Held>;
}

/** How a memo renews and reports its value. */
export interface MemoRules<Held> {
  /** How long before its expiry the value is renewed, in milliseconds. */
  readonly renewBeforeMs: number;
  /** Called when a fetch ends, with its result or its error. */
  report(durationMs: number, error?: unknown, found?: Held): void;
}

/**
 * Credentials from one source: one fetch serves all concurrent callers; they are kept and renewed before they expire.
 */
export class CredentialMemo<Held extends Perishable> {
  readonly #rules: MemoRules<Held>;
  #held: Held | undefined;
  #heldSince = -Infinity;
  /** Unix time in milliseconds until which it is handed out. */
  #usableUntilMs = -Infinity;
  #fetch: Fetch<Held> | undefined;
  #fetchedAt = -Infinity;
  #suspect = false;
  #suspectedAt = -Infinity;

  constructor(rules: MemoRules<Held>) {
    this.#rules = rules;
  }

  /** Whether credentials have been fetched before. */
  get hasFetched(): boolean {
    return this.#held !== undefined;
  }

  /** Unix time in milliseconds at which the current credentials expire. */
  get expireAtMs(): number | undefined {
    return this.#held?.expiration?.getTime();
  }

  /**
   * Returns the current credentials, or those from `fetch` if none are valid; if a renewal fails, the current ones
   * stay in use until they expire.
   */
  async get(fetch: () => Promise<Held>): Promise<Held> {
    const now = performance.now();
    const running = this.#fetch && now - this.#fetch.startedAt < JOIN_WITHIN_MS ? this.#fetch : undefined;
    const held = this.#held;
    if (!held || Date.now() >= this.#usableUntilMs) return await (running ?? this.#start(fetch, now)).result;

    const renewal = running ?? (this.#isDue(held, now) ? this.#start(fetch, now) : undefined);
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

  #isDue(held: Held, now: number): boolean {
    if (this.#suspect) return true;
    if (now - this.#fetchedAt < RENEW_INTERVAL_MS) return false;
    const leftMs = (this.expireAtMs ?? Infinity) - Date.now();
    return leftMs < this.#rules.renewBeforeMs || now - this.#heldSince >= (held.renewAfterMs ?? Infinity);
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
        this.#usableUntilMs = usableUntilMs(found);
      }
      this.#rules.report(performance.now() - startedAt, undefined, found);
      return found;
    } catch (error) {
      this.#rules.report(performance.now() - startedAt, error);
      throw error;
    }
  }
}

function usableUntilMs({ expiration }: Perishable): number {
  if (expiration === undefined) return Infinity;
  const endMs = expiration.getTime();
  return endMs - Math.min(END_MARGIN_MS, END_MARGIN_RATIO * (endMs - Date.now()));
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
