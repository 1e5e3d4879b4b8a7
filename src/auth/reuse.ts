import { Deadline, onAbort, untilAborted } from '../deadline.js';
import type { CredentialsObserver, CredentialsSource, TokenSource } from '../hooks.js';
import { checkedAnswer } from '../issued-login.js';
import type { HeldLogin, IssueContext, LoginIssuer, LoginTarget } from './backend.js';
import { authFailure } from './failure.js';
import { CredentialMemo, type Perishable } from './memo.js';

/** Limit of one fetch in milliseconds; it serves several logins, whose own limits end only their wait. */
const FETCH_TIMEOUT_MS = 30_000;
const RENEW_BEFORE_MS = 5 * 60_000;
/** The most targets of one pool whose logins are held at once. */
const MOST_TARGETS = 100;

interface Held extends Perishable {
  readonly answer: string | HeldLogin;
  readonly reusable: boolean;
}

/**
 * Wraps an issuer whose answers are reused until they expire; if its `reused` is unset, only answers with an expiry
 * are. Once `ended` is aborted, it gives up a fetch that no login waits for.
 */
export function reusing(issuer: LoginIssuer, ended?: AbortSignal): LoginIssuer {
  return issuer.reused === false ? issuer : new ReusingIssuer(issuer, ended);
}

/** Holds the logins of one issuer, separately for each target. */
class ReusingIssuer implements LoginIssuer, CredentialsSource {
  readonly source: TokenSource;
  readonly provider: string;
  readonly #issuer: LoginIssuer;
  readonly #ended: AbortSignal | undefined;
  readonly #observers = new Set<CredentialsObserver>();
  readonly #targets = new Map<string, TargetLogins>();

  constructor(issuer: LoginIssuer, ended: AbortSignal | undefined) {
    const { source } = issuer;
    this.#issuer = issuer;
    this.#ended = ended;
    this.provider = source.provider;
    this.source = Object.freeze({
      ...source,
      credentials: [...(source.credentials ?? []), this],
      rejected: () => {
        for (const logins of this.#targets.values()) logins.suspect();
        source.rejected?.();
      },
    });
    if (ended) onAbort(ended, () => this.#targets.forEach((logins) => logins.giveUpUnwanted()));
  }

  region(target: LoginTarget): string | undefined {
    return this.#issuer.region?.(target);
  }

  hint(target: LoginTarget): string {
    return this.#issuer.hint?.(target) ?? this.source.hint ?? '';
  }

  checkHost(host: string): void {
    this.#issuer.checkHost?.(host);
  }

  issue(target: LoginTarget, context: IssueContext): Promise<string | HeldLogin> {
    return this.#loginsAt(target).issue(context);
  }

  observe(observer: CredentialsObserver): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  expireAtMs(): number | undefined {
    const ends = [...this.#targets.values()].flatMap((logins) => logins.expireAtMs ?? []);
    // The login of a target that is no longer dialled is not renewed, so its expiry says nothing about the others.
    const ahead = ends.filter((endMs) => endMs > Date.now());
    const shown = ahead.length > 0 ? ahead : ends;
    return shown.length === 0 ? undefined : Math.min(...shown);
  }

  #loginsAt(target: LoginTarget): TargetLogins {
    const key = `${target.user}@${target.host}:${target.port}`;
    let logins = this.#targets.get(key);
    if (logins === undefined) {
      logins = new TargetLogins(this.#issuer, target, this.#fetched, this.#ended);
      this.#targets.set(key, logins);
      this.#forgetOthers();
    }
    return logins;
  }

  /** Targets that are no longer in use must neither accumulate nor look like credentials that are about to expire. */
  #forgetOthers(): void {
    for (const [key, { expireAtMs }] of this.#targets) {
      const over = expireAtMs !== undefined && expireAtMs <= Date.now();
      if (over || this.#targets.size > MOST_TARGETS) this.#targets.delete(key);
    }
  }

  readonly #fetched = (durationMs: number, error?: unknown): void => {
    for (const observer of this.#observers) {
      try {
        observer.fetched(this.provider, durationMs, error);
      } catch {
        // Telemetry must never break a login.
      }
    }
  };
}

/** The logins of one issuer at one target. */
class TargetLogins {
  readonly #issuer: LoginIssuer;
  readonly #target: LoginTarget;
  readonly #ended: AbortSignal | undefined;
  readonly #memo: CredentialMemo<Held>;
  /** Whether answers are reused; undefined before the first answer of an issuer that leaves it unset. */
  #reused: boolean | undefined;
  #waiting = 0;
  #fetching: AbortController | undefined;

  constructor(
    issuer: LoginIssuer,
    target: LoginTarget,
    fetched: (durationMs: number, error?: unknown) => void,
    ended: AbortSignal | undefined,
  ) {
    this.#issuer = issuer;
    this.#target = target;
    this.#ended = ended;
    this.#reused = issuer.reused;
    this.#memo = new CredentialMemo({
      renewBeforeMs: RENEW_BEFORE_MS,
      report: (durationMs, error, found) => {
        // An answer for a single login is not cached, and the token refresh already reports its duration.
        if (found ? found.reusable : this.#reused === true) fetched(durationMs, error);
      },
    });
  }

  get expireAtMs(): number | undefined {
    return this.#reused === true ? this.#memo.expireAtMs : undefined;
  }

  suspect(): void {
    this.#memo.suspect();
  }

  async issue({ signal }: IssueContext): Promise<string | HeldLogin> {
    if (this.#reused === false) return (await this.#ask(signal)).answer;
    let asked = false as boolean;
    const fetch = (): Promise<Held> => {
      asked = true;
      return this.#fetch();
    };
    const { answer, reusable } = await this.#waited(() => this.#memo.get(fetch), signal);
    // A caller that joined a fetch whose answer is for a single login requests its own.
    return reusable || asked ? answer : (await this.#ask(signal)).answer;
  }

  /** Waits until `signal` is aborted; the last caller that gives up also ends the fetch. */
  async #waited<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#waiting += 1;
    try {
      signal.throwIfAborted();
      return await untilAborted(work(), signal);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      throw authFailure(this.#issuer.source.provider, 'gave up waiting for a password', error);
    } finally {
      this.#waiting -= 1;
      if (signal.aborted) this.#giveUp(signal.reason);
      else this.giveUpUnwanted();
    }
  }

  /** Gives up a renewal that no login waits for, once the pool has ended. */
  giveUpUnwanted(): void {
    if (this.#ended?.aborted) this.#giveUp(this.#ended.reason);
  }

  #giveUp(reason: unknown): void {
    if (this.#waiting === 0) this.#fetching?.abort(reason);
  }

  async #fetch(): Promise<Held> {
    const fetching = new AbortController();
    this.#fetching = fetching;
    const late = (): void => fetching.abort(new Error(`no answer within ${FETCH_TIMEOUT_MS} ms`));
    // The deadline does not keep the process alive; the logins that wait for the fetch do.
    const deadline = new Deadline(FETCH_TIMEOUT_MS, late);
    try {
      return await untilAborted(this.#ask(fetching.signal), fetching.signal);
    } finally {
      deadline.clear();
    }
  }

  async #ask(signal: AbortSignal): Promise<Held> {
    const { source } = this.#issuer;
    const answer = checkedAnswer(source, await this.#issuer.issue(this.#target, { signal }));
    const { expiresAt, reuseMs }: Partial<HeldLogin> = typeof answer === 'object' ? answer : {};
    const reusable = expiresAt !== undefined || reuseMs !== undefined;
    this.#reused = this.#issuer.reused ?? reusable;
    // An answer for a single login expires at once.
    return {
      answer,
      reusable,
      renewAfterMs: reuseMs,
      expiration: reusable ? expiresAt : new Date(0),
    };
  }
}
