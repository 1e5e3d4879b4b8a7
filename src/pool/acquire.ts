import { AsyncResource } from 'node:async_hooks';
import type { PoolClient } from 'pg';
import type { ConnectionEngine } from '../connection/connection-kind.js';
import { withCallersStack } from '../connection/callers-stack.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { MAX_TIMER_MS, onAbort } from '../deadline.js';
import type { Waiter } from '../engine/wait-queue.js';
import { PoolEndedError } from '../errors.js';
import type { AcquireObserver, PoolObserver } from '../observer.js';
import { acquireTimeoutError } from './acquire-timeout.js';
import type { Checkouts } from './checkout.js';
import type { Acquirer } from './leaks.js';
import { throwLater } from './throw-later.js';

/** How one acquire may differ from the pool's options. */
export interface AcquireOptions {
  /** Ends the wait; the acquire rejects with the signal's reason and counts as cancelled. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds, default `acquireTimeoutMs`; 0 means no limit. */
  readonly timeoutMs?: number | undefined;
}

/** The public method whose caller is the acquirer. */
type Entry = (...args: never[]) => unknown;
type Serve = (connection: PooledConnection) => void;
type Fail = (error: Error) => void;

/** Acquires connections for the users of a pool: an idle one at once, else the first that becomes free. */
export class Acquires {
  readonly #engine: ConnectionEngine;
  readonly #observer: PoolObserver;
  readonly #checkouts: Checkouts;
  readonly #pool: { readonly ending: boolean };
  readonly #timeoutMs: number;
  /** Why connecting failed last, `undefined` after a success: the cause of an acquire that times out. */
  lastConnectError: unknown;

  constructor(
    engine: ConnectionEngine,
    observer: PoolObserver,
    checkouts: Checkouts,
    pool: { readonly ending: boolean },
    timeoutMs: number,
  ) {
    this.#engine = engine;
    this.#observer = observer;
    this.#checkouts = checkouts;
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
  }

  /** The promise form. */
  promise(options: AcquireOptions, entry: Entry): Promise<PoolClient> {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    if (!(timeoutMs >= 0 && timeoutMs <= MAX_TIMER_MS)) {
      return Promise.reject(new RangeError(`timeoutMs must be between 0 and ${MAX_TIMER_MS}`));
    }
    if (this.#pool.ending) return Promise.reject(new PoolEndedError());
    const now = performance.now();
    if (signal?.aborted === true) {
      this.#engine.countCanceled();
      this.#observer.acquireStarted().failed(0, signal.reason);
      return Promise.reject(signal.reason as Error);
    }
    const acquirer = this.#checkouts.acquirer(entry);
    const connection = this.#atOnce(now, acquirer);
    if (connection !== undefined) return Promise.resolve(connection.client);
    return new Promise<PoolClient>((resolve, reject) => {
      const waiter = this.#wait(now, timeoutMs, acquirer, ({ client }) => resolve(client), reject);
      if (signal === undefined || !waiter.waiting) return;
      waiter.onDone = onAbort(signal, () => this.#engine.cancel(waiter, signal.reason));
    }).catch(withCallersStack);
  }

  /** The callback form; with `deferred` neither callback is called before this returns, else only `serve` may be. */
  callback(entry: Entry, serve: Serve, fail: Fail, deferred: boolean): void {
    if (this.#pool.ending) {
      process.nextTick(fail, new PoolEndedError());
      return;
    }
    const now = performance.now();
    const acquirer = this.#checkouts.acquirer(entry);
    const connection = this.#atOnce(now, acquirer);
    if (connection === undefined) {
      // It will be called where another user releases a client, in that user's async context.
      const context = new AsyncResource('pgauge.acquire');
      this.#wait(now, this.#timeoutMs, acquirer, inContext(context, serve), inContext(context, fail));
    } else if (deferred) process.nextTick(serve, connection);
    else serve(connection);
  }

  #atOnce(now: number, acquirer: Acquirer | undefined): PooledConnection | undefined {
    const slot = this.#engine.tryAcquire(now);
    if (slot === undefined) return undefined;
    this.#observer.acquired(0);
    return this.#checkouts.handOver(slot, acquirer);
  }

  #wait(
    startedAt: number,
    timeoutMs: number,
    acquirer: Acquirer | undefined,
    serve: Serve,
    fail: Fail,
  ): Waiter<PooledConnection, AcquireObserver> {
    const observer = this.#observer.acquireStarted();
    return this.#engine.wait(
      {
        cause: observer,
        waiting: (reason) => observer.waiting(reason),
        served: (slot, waitMs) => {
          observer.acquired(waitMs);
          serve(this.#checkouts.handOver(slot, acquirer));
        },
        rejected: (error, waitMs) => {
          observer.failed(waitMs, error);
          fail(error as Error);
        },
        timeoutError: () =>
          acquireTimeoutError(this.#engine.state, performance.now() - startedAt, this.lastConnectError),
      },
      startedAt,
      timeoutMs,
    );
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
