import { AsyncResource } from 'node:async_hooks';
import type { PoolClient } from 'pg';
import type { ConnectionEngine } from '../connection/connection-kind.js';
import { withCallersStack } from '../connection/callers-stack.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { MAX_TIMER_MS, onAbort } from '../deadline.js';
import type { Slot } from '../engine/slot.js';
import type { ShareRequest } from '../engine/wait-queue.js';
import { PoolBusyError, PoolEndedError } from '../errors.js';
import type { PoolObserver } from '../observer.js';
import { acquireTimeoutError } from './acquire-timeout.js';
import { AcquireHook } from './acquire-hook.js';
import type { Checkouts } from './checkout.js';
import type { Acquirer } from './leaks.js';
import type { PoolPlan } from './plan.js';
import { throwLater } from '../throw-later.js';

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
  /** Set if a connection serves that others hold as well. */
  readonly shares?: ShareRequest | undefined;
}

/** The public method whose caller is the acquirer. */
type Entry = (...args: never[]) => unknown;
type Serve = (connection: PooledConnection) => void;
type Fail = (error: Error) => void;

interface Acquire {
  readonly startedAt: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly acquirer: Acquirer | undefined;
  readonly shares?: ShareRequest | undefined;
  readonly serve: Serve;
  readonly fail: Fail;
}

/** Acquires connections for the users of a pool: an idle one at once, else the first that becomes free. */
export class Acquires {
  readonly #engine: ConnectionEngine;
  readonly #observer: PoolObserver;
  readonly #checkouts: Checkouts;
  readonly #pool: { readonly ending: boolean };
  readonly #timeoutMs: number;
  readonly #hook: AcquireHook | undefined;
  /** Why connecting failed last, `undefined` after a success: the cause of an acquire that times out. */
  lastConnectError: unknown;

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
    this.#hook = onAcquire && new AcquireHook(onAcquire, observer);
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
    return new Promise<PoolClient>((resolve, reject) => {
      const serve = ({ client }: PooledConnection): void => resolve(client);
      this.#wait({ startedAt: now, timeoutMs, signal, acquirer, serve, fail: reject });
    }).catch(withCallersStack);
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
    // A connection that many queries share may be busy for as long as there are any.
    const acquirer = shares === undefined ? this.#checkouts.acquirer(entry) : undefined;
    const connection = this.#atOnce(now, acquirer);
    if (connection === undefined && this.#engine.refuses(now)) process.nextTick(fail, this.#busy());
    else if (connection === undefined) {
      // It will be called where another user releases a client, in that user's async context.
      const context = new AsyncResource('pgauge.acquire');
      this.#wait({
        startedAt: now,
        timeoutMs: this.#timeoutMs,
        signal,
        acquirer,
        shares,
        serve: inContext(context, serve),
        fail: inContext(context, fail),
      });
    } else if (deferred) process.nextTick(serve, connection);
    else serve(connection);
  }

  /** A connection was lost; whether it was about to be handed over. */
  lost(slot: Slot<PooledConnection>): boolean {
    return this.#hook?.lost(slot) === true;
  }

  /** A query was given a connection that others hold, without waiting. Called in its caller's async context. */
  joined(): void {
    this.#observer.acquired(0);
  }

  /** Whether the pool takes no more acquires. */
  get ending(): boolean {
    return this.#pool.ending;
  }

  #atOnce(now: number, acquirer: Acquirer | undefined): PooledConnection | undefined {
    // What runs before the hand-over takes time.
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

  #wait(acquire: Acquire): void {
    const { startedAt, timeoutMs, signal, acquirer, shares, serve, fail } = acquire;
    const observer = this.#observer.acquireStarted();
    const handOver = (slot: Slot<PooledConnection>, waitMs: number): void => {
      observer.acquired(waitMs);
      // One that others hold was handed over to the first of them.
      serve(slot.resource.sharing ? slot.resource : this.#checkouts.handOver(slot, acquirer));
    };
    const failed = (error: unknown, waitMs: number): void => {
      observer.failed(waitMs, error);
      fail(error as Error);
    };
    const timeoutError = (): Error =>
      acquireTimeoutError(this.#engine.state, performance.now() - startedAt, this.lastConnectError);
    const served =
      this.#hook === undefined
        ? handOver
        : this.#prepared(this.#hook, acquire, timeoutError, handOver, failed);
    const waiter = this.#engine.wait(
      {
        cause: observer,
        shares,
        waiting: (reason) => observer.waiting(reason),
        served,
        rejected: failed,
        timeoutError,
      },
      startedAt,
      timeoutMs,
    );
    if (signal === undefined || !waiter.waiting) return;
    waiter.onDone = onAbort(signal, () => this.#engine.cancel(waiter, signal.reason));
  }

  /** Runs the hook between the engine's hand-over and the user's. */
  #prepared(
    hook: AcquireHook,
    { startedAt, timeoutMs, signal }: Acquire,
    timeoutError: () => Error,
    handOver: (slot: Slot<PooledConnection>, waitMs: number) => void,
    failed: (error: unknown, waitMs: number) => void,
  ): (slot: Slot<PooledConnection>, waitMs: number) => void {
    const context = new AsyncResource('pgauge.acquire');
    return (slot, servedMs) => {
      const leftMs = timeoutMs > 0 ? timeoutMs - servedMs : undefined;
      hook.run(slot, { context, leftMs, signal, timeoutError }, (outcome) => {
        const now = performance.now();
        if (outcome.ended === 'well') {
          handOver(slot, now - startedAt);
          return;
        }
        if (outcome.ended === 'timed_out' || outcome.ended === 'aborted') {
          this.#engine.countCanceled(outcome.ended === 'timed_out');
        }
        this.#engine.release(slot, now, slot.resource.condemn('hook'));
        failed(outcome.error, now - startedAt);
      });
    };
  }
}

/** Calls back in the context of the acquirer, and keeps what the callback throws away from the engine. */
function inContext<A>(context: AsyncResource, callback: (argument: A) => void): (argument: A) => void {
  return (argument) => {
    try {
      context.runInAsyncScope(callback, undefined, argument);
    } catch (thrown) {
      throwLater(thrown);
    }
  };
}
