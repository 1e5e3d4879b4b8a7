import type { PoolClient } from 'pg';
import type { ConnectionEngine } from '../connection/connection-kind.js';
import { withCallersStack } from '../connection/callers-stack.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { MAX_TIMER_MS, onAbort } from '../deadline.js';
import type { Slot } from '../engine/slot.js';
import type { ShareRequest } from '../engine/wait-queue.js';
import { PoolBusyError, PoolEndedError } from '../errors.js';
import type { PoolObserver } from '../observer.js';
import { AcquireHook } from './acquire-hook.js';
import type { Checkouts } from './checkout.js';
import type { Acquirer } from './leaks.js';
import type { PoolPlan } from './plan.js';
import {
  CalledAcquire,
  PromisedAcquire,
  type AcquireParts,
  type AcquireTerms,
  type Fail,
  type Serve,
} from './waiting-acquire.js';

/** How one acquire may differ from the pool's options. */
export interface AcquireOptions {
  /** Ends the wait; the acquire rejects with the signal's reason and counts as cancelled. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds, default `acquireTimeoutMs`; 0 means no limit. */
  readonly timeoutMs?: number | undefined;
}

/** How one acquire of the callback form may differ. */
interface CallbackOptions {
  readonly signal?: AbortSignal | undefined;
  readonly deferred?: boolean | undefined;
  /** Set if the acquire accepts a connection that others also hold. */
  readonly shares?: ShareRequest | undefined;
}

/** The public method whose caller is the acquirer. */
type Entry = (...args: never[]) => unknown;

/** Acquires connections for the users of a pool: an idle one at once, or else the first that becomes free. */
export class Acquires {
  readonly #engine: ConnectionEngine;
  readonly #observer: PoolObserver;
  readonly #checkouts: Checkouts;
  readonly #pool: { readonly ending: boolean };
  readonly #timeoutMs: number;
  readonly #hook: AcquireHook | undefined;
  readonly #parts: AcquireParts;

  constructor(
    engine: ConnectionEngine,
    observer: PoolObserver,
    checkouts: Checkouts,
    pool: { readonly ending: boolean },
    { acquireTimeoutMs, onAcquire }: Pick<PoolPlan, 'acquireTimeoutMs' | 'onAcquire'>,
  ) {
    this.#engine = engine;
    this.#observer = observer;
    this.#checkouts = checkouts;
    this.#pool = pool;
    this.#timeoutMs = acquireTimeoutMs;
    const hook = (this.#hook = onAcquire && new AcquireHook(onAcquire, observer));
    this.#parts = { engine, checkouts, hook, lastConnectError: undefined };
  }

  /** Why connecting failed last, `undefined` after a success. */
  set lastConnectError(error: unknown) {
    this.#parts.lastConnectError = error;
  }

  /** The promise form. */
  promise(options: AcquireOptions, entry: Entry): Promise<PoolClient> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    if (!(timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS)) {
      return Promise.reject(new RangeError(`timeoutMs must be between 0 and ${MAX_TIMER_MS}`));
    }
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      return Promise.reject(new TypeError('signal must be an AbortSignal'));
    }
    if (this.#pool.ending) return Promise.reject(new PoolEndedError());
    const now = performance.now();
    if (signal?.aborted === true) return Promise.reject(this.#aborted(signal));
    const acquirer = this.#checkouts.acquirer(entry);
    const connection = this.#atOnce(now, acquirer);
    if (connection !== undefined) return Promise.resolve(connection.client);
    if (this.#engine.refuses(now)) return Promise.reject(this.#busy());
    const terms = { startedAt: now, timeoutMs, signal, acquirer };
    const observer = this.#observer.acquireStarted();
    return new Promise<PoolClient>((resolve, reject) =>
      this.#wait(new PromisedAcquire(this.#parts, observer, terms, resolve, reject), terms),
    ).catch(withCallersStack);
  }

  /** The callback form; with `deferred` neither callback is called before this returns, else only `serve` may be. */
  callback(entry: Entry, serve: Serve, fail: Fail, options: CallbackOptions = {}): void {
    const { signal, deferred = false, shares } = options;
    if (this.#pool.ending) {
      process.nextTick(fail, new PoolEndedError());
      return;
    }
    if (signal?.aborted === true) {
      process.nextTick(fail, this.#aborted(signal));
      return;
    }
    const now = performance.now();
    // A connection that many queries share may stay busy as long as there are queries.
    const acquirer = shares === undefined ? this.#checkouts.acquirer(entry) : undefined;
    const connection = this.#atOnce(now, acquirer);
    if (connection === undefined && this.#engine.refuses(now)) process.nextTick(fail, this.#busy());
    else if (connection === undefined) {
      const terms = { startedAt: now, timeoutMs: this.#timeoutMs, signal, acquirer, shares };
      const observer = this.#observer.acquireStarted();
      this.#wait(new CalledAcquire(this.#parts, observer, terms, serve, fail), terms);
    } else if (deferred) process.nextTick(serve, connection);
    else serve(connection);
  }

  /** Call when a connection was lost; returns whether it was about to be handed over. */
  lost(slot: Slot<PooledConnection>): boolean {
    return this.#hook?.lost(slot) === true;
  }

  /** Call when a query got a connection that others hold, without waiting, in its caller's async context. */
  joined(): void {
    this.#observer.acquired(0);
  }

  /** Whether the pool accepts no more acquires. */
  get ending(): boolean {
    return this.#pool.ending;
  }

  #atOnce(now: number, acquirer: Acquirer | undefined): PooledConnection | undefined {
    // The hook that runs before the hand-over takes time.
    if (this.#hook !== undefined) return undefined;
    const slot = this.#engine.tryAcquire(now);
    if (slot === undefined) return undefined;
    this.#observer.acquired(0);
    return this.#checkouts.handOver(slot, acquirer);
  }

  /** An acquire whose signal was aborted before it began; returns the reason. */
  #aborted({ reason }: AbortSignal): Error {
    this.#engine.countCanceled();
    this.#observer.acquireStarted().failed(0, reason);
    return reason as Error;
  }

  /** An acquire that was refused; returns its error. */
  #busy(): Error {
    const error = new PoolBusyError(this.#engine.state.pending);
    this.#observer.acquireStarted().failed(0, error);
    return error;
  }

  #wait(acquire: PromisedAcquire | CalledAcquire, { startedAt, timeoutMs, signal }: AcquireTerms): void {
    const { engine } = this.#parts;
    const waiter = engine.wait(acquire, startedAt, timeoutMs);
    if (signal === undefined || !waiter.waiting) return;
    waiter.onDone = onAbort(signal, () => engine.cancel(waiter, signal.reason));
  }
}
