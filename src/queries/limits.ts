import { AsyncLocalStorage } from 'node:async_hooks';
import { Deadline, MAX_TIMER_MS, onAbort } from '../deadline.js';
import { QueryTimeoutError } from '../errors.js';
import type { CancelReason } from '../observer.js';
import { copyOf } from './call.js';

/** The limits that may stop a query before it is answered. */
export interface QueryLimits {
  readonly signal: AbortSignal | undefined;
  /** In milliseconds, 0 for no limit; `undefined` for the pool's limit. */
  readonly timeoutMs: number | undefined;
}

const BOUND_ONE = 'use timeoutMs, in milliseconds';

/** Members that users expect in a query's config but the driver would ignore, each with an alternative. */
const REFUSED: readonly (readonly [name: string, instead: string])[] = [
  ['abortSignal', 'use signal'],
  ['timeout', BOUND_ONE],
  ['queryTimeoutMs', `it is an option of the pool: for a single query ${BOUND_ONE}`],
  ['statement_timeout', `it is a setting of the session: for a single query ${BOUND_ONE}`],
];

/** Reads the limits in a query's config, `undefined` if it has none; throws TypeError for a member that would be ignored. */
export function limitsOf(config: object): QueryLimits | undefined {
  const given = config as Readonly<Record<string, unknown>>;
  for (const [name, instead] of REFUSED) {
    if (given[name] !== undefined) throw new TypeError(`a query does not take ${name}: ${instead}`);
  }
  const { signal, timeoutMs, query_timeout: driversOwn } = given;
  if (signal == null && timeoutMs == null && driversOwn == null) return undefined;
  if (timeoutMs != null && driversOwn != null) {
    throw new TypeError('timeoutMs and query_timeout mean the same: give one of them');
  }
  return {
    signal: checkedSignal(signal),
    timeoutMs: checkedMs('timeoutMs', timeoutMs) ?? checkedMs('query_timeout', driversOwn),
  };
}

/** A signal, or `undefined`; throws TypeError for anything else. */
export function checkedSignal(signal: unknown): AbortSignal | undefined {
  if (signal == null) return undefined;
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal');
  return signal;
}

function checkedMs(name: string, ms: unknown): number | undefined {
  if (ms == null) return undefined;
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= MAX_TIMER_MS)) {
    throw new TypeError(`${name} must be a number of milliseconds from 0 to ${MAX_TIMER_MS}`);
  }
  return ms;
}

/** Why a signal was aborted; never falsy, because a callback without an error means success. */
export function reasonOf({ reason }: AbortSignal): unknown {
  return reason || new DOMException('This operation was aborted', 'AbortError');
}

/** Stops a query, with the reason and the error that its caller gets. */
export type Stop = (reason: CancelReason, error: unknown) => void;

const IN_FORCE = Symbol('pgauge.limits');

/** A copy of a query's config whose limits already apply: they began while the query waited for a connection. */
export function withLimitsInForce(config: object, limits: LimitsInForce): object {
  return Object.assign(copyOf(config), { [IN_FORCE]: limits });
}

/** The limits that are in force for a config. */
export function limitsInForce(config: object): LimitsInForce | undefined {
  return (config as { readonly [IN_FORCE]?: LimitsInForce })[IN_FORCE];
}

/** The limits of one query, in force until `clear` is called or one of them has stopped it. */
export class LimitsInForce {
  #stop: Stop;
  #deadline: Deadline | undefined;
  #forget: (() => void) | undefined;
  /** Timers and shared signals fire in an async context that is not the caller's. */
  readonly #inCallersContext = AsyncLocalStorage.snapshot();

  /** The signal must not be aborted yet. */
  constructor({ signal, timeoutMs }: QueryLimits, stop: Stop) {
    this.#stop = stop;
    this.limitTo(timeoutMs ?? 0);
    this.#forget = signal && onAbort(signal, () => this.#end('aborted', reasonOf(signal)));
  }

  /** Replaces the function that stops the query: one that waited for a connection is running now. */
  set stop(stop: Stop) {
    this.#stop = stop;
  }

  /** Adds a time limit, in milliseconds from now, 0 for none. */
  limitTo(timeoutMs: number): void {
    if (timeoutMs === 0) return;
    const late = (): void => this.#end('timeout', new QueryTimeoutError(timeoutMs));
    this.#deadline = new Deadline(timeoutMs, late, true);
  }

  /** Lifts the limits. */
  clear(): void {
    this.#deadline?.clear();
    this.#forget?.();
    this.#forget = undefined;
  }

  #end(reason: CancelReason, error: unknown): void {
    this.clear();
    this.#inCallersContext(this.#stop, reason, error);
  }
}
