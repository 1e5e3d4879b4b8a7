import { AsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import type pgModule from 'pg';
import type {
  PoolClient,
  PoolConfig,
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryConfigValues,
  QueryResult,
  QueryResultRow,
  Submittable,
} from 'pg';
import { PoolEndedError } from '../errors.js';
import type { Logger } from '../hooks.js';
import type { AcquireObserver, CloseReason, PoolGauges, PoolObserver } from '../observer.js';
import { acquireTimeoutError } from './acquire-timeout.js';
import { withCallersStack } from '../connection/callers-stack.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { ConnectionKind } from '../connection/connection-kind.js';
import type { DialPlan } from '../connection/dial.js';
import { pg } from '../connection/driver.js';
import { EngineGauges, statOf } from './gauges.js';
import { LeakDetector, type Acquirer } from './leaks.js';
import { ResourcePool } from '../engine/engine.js';
import { runQuery, type QueryCallback } from './run-query.js';
import type { Slot, Waiter } from '../engine/slot.js';
import type { PoolStat } from './stat.js';
import { surface } from './surface.js';
import { Upkeep } from '../engine/upkeep.js';

/** A connection idle for longer is pinged before it is handed out; in milliseconds, as in pgxpool. */
const PING_AFTER_MS = 1_000;
/** How long a returned connection may take to become ready for queries, in milliseconds. */
const SETTLE_MS = 1_000;
/** How long `end()` waits for a closing socket, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;
/** The longest a Node timer can wait, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a pool is made of; times in milliseconds, 0 means off. */
export interface PoolPlan {
  readonly dial: DialPlan;
  /** What `pool.options` shows, under node-postgres' names. */
  readonly options: PoolConfig;
  readonly observer: PoolObserver;
  readonly logger: Logger;
  readonly max: number;
  readonly min: number;
  readonly maxConnecting: number;
  readonly maxUses: number;
  readonly lifetimeMs: number;
  readonly lifetimeJitterMs: number;
  readonly idleTimeoutMs: number;
  readonly healthCheckPeriodMs: number;
  readonly acquireTimeoutMs: number;
  readonly endTimeoutMs: number;
  readonly leakDetectionMs: number;
}

/** How one acquire may differ from the pool's options. */
export interface AcquireOptions {
  /** Ends the wait; the acquire rejects with the signal's reason and counts as cancelled. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait in milliseconds, default `acquireTimeoutMs`; 0 means no limit. */
  readonly timeoutMs?: number | undefined;
}

/** The method whose caller is the acquirer. */
type Entry = (...args: never[]) => unknown;
/** @inline */
type Release = (error?: unknown) => void;
/** @inline */
type ConnectCallback = (error: Error | undefined, client: PoolClient | undefined, done: Release) => void;
type Overridden =
  | 'totalCount'
  | 'idleCount'
  | 'waitingCount'
  | 'expiredCount'
  | 'connect'
  | 'query'
  | 'end'
  | 'ending'
  | 'ended';

// Accessors cannot override what @types/pg declares as properties.
const Base = pg.Pool as unknown as new (
  options: PoolConfig,
) => Omit<pgModule.Pool, Overridden | keyof EventEmitter> & EventEmitter;

const noop = (): void => undefined;

/**
 * A `pg.Pool` with pgxpool's semantics whose connections, credentials and waits can be seen; `newPool` makes it. Its events
 * are those of `pg.Pool`: `connect`, `acquire`, `release`, `remove` and `error`, which nobody needs to listen to.
 */
export class InstrumentedPool extends Base {
  /** Current: whether `end()` has been called. */
  ending = false;
  /** Current: whether `end()` has finished and every socket is closed. */
  ended = false;
  /** The pool's logger: the one that was given, or the default. */
  readonly logger: Logger;
  /** Aborted when `end()` is called. */
  readonly endSignal: AbortSignal;

  readonly #plan: PoolPlan;
  readonly #observer: PoolObserver;
  readonly #kind: ConnectionKind;
  readonly #engine: ResourcePool<PooledConnection, AcquireObserver, CloseReason>;
  readonly #upkeep: Upkeep<PooledConnection, AcquireObserver, CloseReason>;
  readonly #gauges: EngineGauges;
  readonly #leaks: LeakDetector | undefined;
  readonly #endController = new AbortController();
  #lastConnectError: unknown;
  #end: Promise<void> | undefined;
  #onFreed = noop;

  /** @internal Use `newPool`. */
  constructor(plan: PoolPlan) {
    super(plan.options);
    const { observer, max, min, leakDetectionMs } = plan;
    this.#plan = plan;
    this.#observer = observer;
    this.logger = plan.logger;
    this.endSignal = this.#endController.signal;
    this.#kind = new ConnectionKind(
      plan.dial,
      observer,
      {
        connected: (client) => this.#notify('connect', client),
        dialed: (error, background) => {
          this.#lastConnectError = error;
          this.#upkeep.dialed(error === undefined, background);
        },
        lost: (connection, slot) => this.#lost(connection, slot),
        closed: (client) => this.#notify('remove', client),
        freed: () => {
          this.#upkeep.slotFreed();
          this.#onFreed();
        },
      },
      () => new PoolEndedError(),
    );
    this.#engine = new ResourcePool(this.#kind, { ...plan, pingAfterMs: PING_AFTER_MS, settleMs: SETTLE_MS });
    this.#upkeep = new Upkeep(this.#engine, plan);
    this.#gauges = new EngineGauges(this.#engine, max, min);
    this.#leaks = leakDetectionMs > 0 ? new LeakDetector(leakDetectionMs, observer) : undefined;
  }

  /** @internal Starts to fill the pool to its minimum and to check its health. */
  start(): void {
    this.#upkeep.start();
  }

  /** Current: connections constructing, acquired and idle. */
  get totalCount(): number {
    return this.#engine.total;
  }
  /** Current: connections ready to be handed out. */
  get idleCount(): number {
    return this.#engine.idle;
  }
  /** Current: acquirers that wait. */
  get waitingCount(): number {
    return this.#engine.pending;
  }
  /** Always 0: an expired connection is destroyed when it is met, never kept. */
  get expiredCount(): number {
    return 0;
  }

  /** The pool's statistics at this moment, in a new object. */
  stat(): PoolStat {
    return statOf(this.#engine, this.#plan.max);
  }

  /** @internal A live view of the pool's state, for whoever collects it. */
  get gauges(): PoolGauges {
    return this.#gauges;
  }

  /**
   * Acquires a client, which `client.release()` gives back; rejects with `AcquireTimeoutError`, `PoolEndedError`, the
   * signal's reason, the error of the connection attempt that was made for it, or RangeError for a `timeoutMs` that no
   * timer keeps.
   */
  connect(options?: AcquireOptions): Promise<PoolClient>;
  connect(callback: ConnectCallback): void;
  connect(how?: AcquireOptions | ConnectCallback | null): Promise<PoolClient> | undefined {
    if (typeof how !== 'function') {
      return this.#acquire(how ?? {}, InstrumentedPool.prototype.connect);
    }
    this.#acquireThen(
      InstrumentedPool.prototype.connect,
      (connection) => {
        const { client } = connection;
        how(undefined, client, client.release as Release);
      },
      (error) => how(error, undefined, noop),
      true,
    );
    return undefined;
  }

  /**
   * Runs one query on a client of the pool and gives the client back; the forms are those of `pg.Pool`. Rejects as `connect`
   * does, with the server's own error, or after `queryTimeoutMs`.
   */
  query<T extends Submittable>(query: T): T;
  query<R extends unknown[] = unknown[], I = unknown[]>(
    config: QueryArrayConfig<I>,
    values?: QueryConfigValues<I>,
  ): Promise<QueryArrayResult<R>>;
  // The driver's own types promise rows of `any`, and code written for pg.Pool relies on that.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  query<R extends QueryResultRow = any, I = unknown[]>(
    textOrConfig: string | QueryConfig<I>,
    values?: QueryConfigValues<I>,
  ): Promise<QueryResult<R>>;
  query<R extends unknown[] = unknown[], I = unknown[]>(
    config: QueryArrayConfig<I>,
    callback: (error: Error, result: QueryArrayResult<R>) => void,
  ): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  query<R extends QueryResultRow = any, I = unknown[]>(
    textOrConfig: string | QueryConfig<I>,
    callback: (error: Error, result: QueryResult<R>) => void,
  ): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  query<R extends QueryResultRow = any, I = unknown[]>(
    text: string,
    values: QueryConfigValues<I>,
    callback: (error: Error, result: QueryResult<R>) => void,
  ): void;
  query(text: unknown, values?: unknown, third?: unknown): unknown {
    const last = typeof values === 'function' ? values : third;
    if (typeof last === 'function') {
      // The answer comes from the socket, whose context is nobody's.
      const callback = AsyncResource.bind(last as QueryCallback);
      this.#query(text, last === values ? undefined : values, callback);
      return undefined;
    }
    if (typeof text === 'function') {
      const error = new Error('Passing a function as the first parameter to pool.query is not supported');
      setImmediate(text as QueryCallback, error);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#query(text, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    }).catch(withCallersStack);
  }

  /**
   * Ends the pool: waiters reject with `PoolEndedError`, idle connections close, held ones are waited for, without limit or
   * for `endTimeoutMs`; a second call joins the first.
   */
  end(): Promise<void>;
  end(callback: () => void): void;
  end(callback?: () => void): Promise<void> | undefined {
    let promise = this.#end;
    if (promise === undefined) {
      // Known before anybody is told: a waiter's callback may call `end()` in its turn.
      let finish: (end: Promise<void>) => void = noop;
      promise = this.#end = new Promise((resolve) => (finish = resolve));
      finish(this.#shutDown());
    }
    if (callback == null) return promise;
    void promise.then(callback);
    return undefined;
  }

  /** As `end()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  /** Closes idle connections now and the others when they come back; the pool stays usable. */
  reset(): void {
    this.#engine.reset();
  }

  /** @internal Gives up the first fill of `minConns`; the next health check resumes it. */
  stopFilling(): void {
    this.#upkeep.stopFilling();
  }

  #acquire(options: AcquireOptions, entry: Entry): Promise<PoolClient> {
    const { signal, timeoutMs = this.#plan.acquireTimeoutMs } = options;
    if (!(timeoutMs >= 0 && timeoutMs <= LONGEST_TIMER_MS)) {
      return Promise.reject(new RangeError(`timeoutMs must be between 0 and ${LONGEST_TIMER_MS}`));
    }
    if (this.ending) return Promise.reject(new PoolEndedError());
    const now = performance.now();
    if (signal?.aborted === true) {
      this.#engine.canceledAcquireCount += 1;
      this.#observer.acquireStarted().failed(0, signal.reason);
      return Promise.reject(signal.reason as Error);
    }
    const slot = this.#engine.tryAcquire(now);
    const acquirer = this.#leaks?.acquirer(entry);
    if (slot !== undefined) {
      this.#observer.acquired(0);
      return Promise.resolve(this.#checkOut(slot, acquirer).client);
    }
    return new Promise<PoolClient>((resolve, reject) => {
      const waiter = this.#wait(now, timeoutMs, acquirer, (connection) => resolve(connection.client), reject);
      if (signal === undefined || !waiter.waiting) return;
      const abort = (): void => this.#engine.cancel(waiter, signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      waiter.onDone = () => signal.removeEventListener('abort', abort);
    }).catch(withCallersStack);
  }

  /** The callback form of acquiring: neither callback is called before this returns. */
  #acquireThen(
    entry: Entry,
    serve: (connection: PooledConnection) => void,
    fail: (error: Error) => void,
    deferred: boolean,
  ): void {
    if (this.ending) {
      process.nextTick(fail, new PoolEndedError());
      return;
    }
    const now = performance.now();
    const slot = this.#engine.tryAcquire(now);
    const acquirer = this.#leaks?.acquirer(entry);
    if (slot !== undefined) {
      this.#observer.acquired(0);
      const connection = this.#checkOut(slot, acquirer);
      if (deferred) process.nextTick(serve, connection);
      else serve(connection);
      return;
    }
    // Queued: whoever returns a client calls it, in a context that is not the caller's.
    const resource = new AsyncResource('pgauge.acquire');
    const inContext =
      <A>(callback: (arg: A) => void) =>
      (arg: A): void => {
        try {
          resource.runInAsyncScope(callback, undefined, arg);
        } catch (thrown) {
          surface(thrown);
        }
      };
    this.#wait(now, this.#plan.acquireTimeoutMs, acquirer, inContext(serve), inContext(fail));
  }

  #wait(
    startedAt: number,
    timeoutMs: number,
    acquirer: Acquirer | undefined,
    serve: (connection: PooledConnection) => void,
    fail: (error: Error) => void,
  ): Waiter<PooledConnection, AcquireObserver> {
    const observer = this.#observer.acquireStarted();
    return this.#engine.wait(
      {
        cause: observer,
        waiting: (reason) => observer.waiting(reason),
        served: (slot, waitMs) => {
          observer.acquired(waitMs);
          serve(this.#checkOut(slot, acquirer));
        },
        rejected: (error, waitMs) => {
          observer.failed(waitMs, error);
          fail(error as Error);
        },
        timeoutError: () => {
          this.#gauges.acquireTimeouts += 1;
          return acquireTimeoutError(this.#engine, performance.now() - startedAt, this.#lastConnectError);
        },
      },
      startedAt,
      timeoutMs,
    );
  }

  #checkOut(slot: Slot<PooledConnection>, acquirer: Acquirer | undefined): PooledConnection {
    const connection = slot.resource;
    const { client } = connection;
    let released = false;
    client.release = (error?: unknown): void => {
      if (released) throw new Error('Release called on client which has already been released to the pool.');
      released = true;
      this.#release(slot, error);
    };
    if (acquirer !== undefined) this.#leaks?.checkedOut(slot, acquirer);
    this.#notify('acquire', client);
    return connection;
  }

  #release(slot: Slot<PooledConnection>, error: unknown): void {
    this.#notify('release', error, slot.resource.client);
    // Lost meanwhile: its use ended then.
    if (slot.state !== 'held') return;
    const { dismissal, lostWith } = slot.resource;
    // Its user knows from a query what the socket has not yet shown: the server ended the session.
    if (error && dismissal !== undefined) {
      slot.resource.lose(dismissal, 'server_closed');
      return;
    }
    // Before it goes anywhere: it may go to the next user at once.
    slot.resource.listen();
    const now = performance.now();
    this.#useEnded(slot, now);
    // One that is given up goes when its query is cancelled.
    const discarded = error && lostWith === undefined;
    this.#engine.release(slot, now, discarded ? 'released_with_error' : undefined);
  }

  #useEnded(slot: Slot<PooledConnection>, now: number): void {
    const heldMs = now - slot.heldSince;
    this.#leaks?.returned(slot, heldMs);
    this.#observer.released(heldMs);
  }

  #lost(connection: PooledConnection, slot: Slot<PooledConnection>): void {
    const { state } = slot;
    if (state === 'held') this.#useEnded(slot, performance.now());
    this.#engine.discard(slot, connection.lossReason);
    if (state === 'idle' && this.listenerCount('error') > 0) {
      this.#notify('error', connection.lostWith, connection.client);
    }
  }

  #query(text: unknown, values: unknown, callback: QueryCallback): void {
    this.#acquireThen(
      InstrumentedPool.prototype.query,
      (connection) => runQuery(connection, text, values, callback),
      callback,
      false,
    );
  }

  async #shutDown(): Promise<void> {
    this.ending = true;
    this.#endController.abort();
    this.#upkeep.stop();
    this.#engine.end(() => new PoolEndedError());
    await this.#allReturned();
    await this.#kind.closing.allClosed(CLOSE_TIMEOUT_MS);
    this.ended = true;
    this.#observer.ended();
  }

  #allReturned(): Promise<void> {
    return new Promise((resolve) => {
      const { endTimeoutMs } = this.#plan;
      const timer = endTimeoutMs > 0 ? setTimeout(() => this.#takeBack(), endTimeoutMs).unref() : undefined;
      this.#onFreed = (): void => {
        if (this.#engine.total > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onFreed();
    });
  }

  /** Destroys what is still checked out. */
  #takeBack(): void {
    const now = performance.now();
    const holders = [...this.#engine.holders];
    this.#observer.endForced(holders.map((slot) => now - slot.heldSince));
    for (const slot of holders) slot.resource.lose(new PoolEndedError(), 'pool_end');
  }

  #notify(event: string, ...args: unknown[]): void {
    try {
      this.emit(event, ...args);
    } catch (thrown) {
      surface(thrown);
    }
  }
}
