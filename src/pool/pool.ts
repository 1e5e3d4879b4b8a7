import type {
  PoolClient,
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryConfigValues,
  QueryResult,
  QueryResultRow,
  Submittable,
} from 'pg';
import { closeOf, ConnectionKind, type ConnectionEngine } from '../connection/connection-kind.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { detached } from '../connection/detached.js';
import { sessionReset } from '../connection/session-reset.js';
import { Deadline } from '../deadline.js';
import { Engine } from '../engine/engine.js';
import type { EngineListener } from '../engine/kind.js';
import { Upkeep } from '../engine/upkeep.js';
import { PoolEndedError } from '../errors.js';
import type { Logger } from '../hooks.js';
import type { AcquireObserver, CloseReason, PoolGauges } from '../observer.js';
import type { QueryStopOptions } from '../queries/stop-options.js';
import { Acquires, type AcquireOptions } from './acquire.js';
import { Base } from './base.js';
import { Checkouts } from './checkout.js';
import { EngineGauges, statOf } from './gauges.js';
import { ENGINE_TIMES, type PoolPlan } from './plan.js';
import { queriesOf } from './pipelining/pipelined-queries.js';
import type { Queries } from './queries.js';
import { Readiness, type ReadyOptions } from './readiness.js';
import { Shutdown, type EndOptions } from './shutdown.js';
import { newSize, type PoolSize } from './size.js';
import type { PoolStat } from './stat.js';
import { throwLater } from '../throw-later.js';
import { unheldLoss } from './unheld-loss.js';

/** @inline */
type Release = (error?: unknown) => void;
/** A client of the pool: a `pg.PoolClient` whose queries take a signal and a time limit. */
export interface InstrumentedClient extends PoolClient {
  /** Runs one query on this client, in the forms of `pool.query`; rejects as `pool.query` does once it has a client. */
  query: InstrumentedPool['query'];
}

/** @inline */
type ConnectCallback = (
  error: Error | undefined,
  client: InstrumentedClient | undefined,
  done: Release,
) => void;
const noop = (): void => undefined;

/**
 * An observable `pg.Pool` with pgxpool's semantics, made by `newPool`. Its events are those of `pg.Pool`: `connect`,
 * `acquire`, `release`, `remove` and `error`; none of them needs a listener.
 */
export class InstrumentedPool extends Base {
  /** The name of `pg.Pool`, because tools check `pool.constructor.name`. */
  static override readonly name = 'BoundPool';
  /** Current: whether `end()` has been called. */
  ending = false;
  /** Current: whether `end()` has finished and every socket is closed. */
  ended = false;
  /** The pool's logger: the given one, or the default. */
  readonly logger: Logger;
  /** Aborted when `end()` is called. */
  readonly endSignal: AbortSignal;

  readonly #engine: ConnectionEngine;
  readonly #upkeep: Upkeep<PooledConnection, AcquireObserver, CloseReason>;
  readonly #checkouts: Checkouts;
  readonly #acquires: Acquires;
  readonly #queries: Queries;
  readonly #shutdown: Shutdown;
  readonly #gauges: EngineGauges;
  readonly #readiness: Readiness;
  readonly #endController = new AbortController();

  /** @internal Use `newPool`. */
  constructor(plan: PoolPlan) {
    super(plan.options);
    const { observer } = plan;
    this.logger = plan.logger;
    this.endSignal = this.#endController.signal;
    const notify = (event: string, ...args: unknown[]): void => this.#notify(event, ...args);
    const reset = plan.resetSession && sessionReset(plan.resetSession, plan.acquireTimeoutMs, observer);
    const kind = new ConnectionKind(plan.dial, observer, notify, () => new PoolEndedError(), reset);
    this.#engine = new Engine(kind, this.#listener(plan), {
      ...plan,
      retryMs: plan.connectRetryMs,
      ...ENGINE_TIMES,
      startDeadline: (ms, expired, { keepsAlive, limitMs } = {}) =>
        // A deadline may serve many acquires, so it must not keep the async context of any.
        detached(() => new Deadline(ms, expired, keepsAlive, limitMs)),
    });
    this.#upkeep = new Upkeep(this.#engine, plan);
    this.#checkouts = new Checkouts(this.#engine, observer, notify, plan.leakDetectionMs);
    this.#acquires = new Acquires(this.#engine, observer, this.#checkouts, this, plan);
    this.#queries = queriesOf(plan, this.#engine, this.#acquires, InstrumentedPool.prototype.query);
    this.#shutdown = new Shutdown(this.#engine, this.#checkouts, kind.closing, observer, plan.endTimeoutMs);
    this.#gauges = new EngineGauges(this.#engine.state, this.#upkeep, this.#queries, plan.dial.hosts);
    this.#readiness = new Readiness(this.#engine, this.#upkeep, this.endSignal);
  }

  /** @internal Starts filling the pool to its minimum and checking its health. */
  start(): void {
    this.#upkeep.start();
  }

  /** Current: connections constructing, acquired and idle. */
  get totalCount(): number {
    return this.#engine.state.total;
  }
  /** Current: connections ready to be handed out. */
  get idleCount(): number {
    return this.#engine.state.idle;
  }
  /** Current: waiting acquirers. */
  get waitingCount(): number {
    return this.#engine.state.pending;
  }
  /** Always 0: an expired connection is destroyed as soon as it is found. */
  get expiredCount(): number {
    return 0;
  }

  /** The pool's statistics at this moment, in a new object. */
  stat(): PoolStat {
    return statOf(this.#engine.state);
  }

  /** @internal A live view of the pool's state, for telemetry. */
  get gauges(): PoolGauges {
    return this.#gauges;
  }

  /**
   * Acquires a client, which `client.release()` returns to the pool; rejects with `AcquireTimeoutError`,
   * `PoolEndedError`, the signal's reason, the error of the connection attempt that was made for it, or RangeError for
   * a `timeoutMs` beyond the range of timers.
   */
  connect(options?: AcquireOptions): Promise<InstrumentedClient>;
  connect(callback: ConnectCallback): void;
  connect(how?: AcquireOptions | ConnectCallback | null): Promise<InstrumentedClient> | undefined {
    if (typeof how !== 'function') {
      return this.#acquires.promise(how ?? {}, InstrumentedPool.prototype.connect);
    }
    this.#acquires.callback(
      InstrumentedPool.prototype.connect,
      ({ client }) => how(undefined, client, client.release as Release),
      (error) => how(error, undefined, noop),
      { deferred: true },
    );
    return undefined;
  }

  /**
   * Runs one query on a client of the pool and releases the client; the forms are those of `pg.Pool`. Rejects like
   * `connect`, with the server's own error, or after `queryTimeoutMs`.
   */
  query<T extends Submittable>(query: T): T;
  // Separate from the one above, which Kysely's types need to accept the pool.
  // eslint-disable-next-line @typescript-eslint/unified-signatures
  query<T extends Submittable>(query: T, options: Pick<QueryStopOptions, 'signal'>): T;
  query<R extends unknown[] = unknown[], I = unknown[]>(
    config: QueryArrayConfig<I> & QueryStopOptions,
    values?: QueryConfigValues<I>,
  ): Promise<QueryArrayResult<R>>;
  // The driver's types declare rows of `any`, and code written for pg.Pool relies on that.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  query<R extends QueryResultRow = any, I = unknown[]>(
    textOrConfig: string | (QueryConfig<I> & QueryStopOptions),
    values?: QueryConfigValues<I>,
  ): Promise<QueryResult<R>>;
  query<R extends unknown[] = unknown[], I = unknown[]>(
    config: QueryArrayConfig<I> & QueryStopOptions,
    callback: (error: Error, result: QueryArrayResult<R>) => void,
  ): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  query<R extends QueryResultRow = any, I = unknown[]>(
    textOrConfig: string | (QueryConfig<I> & QueryStopOptions),
    callback: (error: Error, result: QueryResult<R>) => void,
  ): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  query<R extends QueryResultRow = any, I = unknown[]>(
    text: string,
    values: QueryConfigValues<I>,
    callback: (error: Error, result: QueryResult<R>) => void,
  ): void;
  query(text: unknown, values?: unknown, third?: unknown): unknown {
    return this.#queries.start(text, values, third);
  }

  /**
   * Ends the pool: waiting acquires are served within their deadlines, later ones reject with `PoolEndedError`; idle
   * connections close, and `end` waits for held ones, without limit or for `endTimeoutMs`, with a warning after 5 s and
   * every minute. Resolves when the server has closed every session, or a second later. A second call joins the first.
   */
  end(options?: EndOptions): Promise<void>;
  end(callback: () => void): void;
  end(how?: EndOptions | (() => void) | null): Promise<void> | undefined {
    const { waiting = 'serve' }: { waiting?: unknown } = typeof how === 'object' && how !== null ? how : {};
    if (waiting !== 'serve' && waiting !== 'reject') {
      return Promise.reject(new TypeError("waiting must be 'serve' or 'reject'"));
    }
    const promise = this.#shutdown.run(
      waiting,
      () => {
        this.ending = true;
        this.#endController.abort();
        this.#upkeep.stop();
      },
      () => {
        this.ended = true;
      },
    );
    if (typeof how !== 'function') return promise;
    void promise.then(how);
    return undefined;
  }

  /** Like `end()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  /**
   * Resolves when `minConns` connections are open, for start-up probes; opens them if necessary, and waits through
   * outages. Rejects with the error of an attempt that fails for another reason, the signal's reason, PoolEndedError,
   * or RangeError for a `minConns` above the maximum.
   */
  ready(options?: ReadyOptions | null): Promise<void> {
    return this.#readiness.wait(options ?? {});
  }

  /**
   * Changes the size of the pool: a larger pool serves waiting acquires at once, a smaller one closes idle connections
   * now and others when they are released. Throws ConfigError for a size that `newPool` would refuse.
   */
  resize(size: PoolSize): void {
    const { max, min } = newSize(size, { max: this.#engine.state.max, min: this.#upkeep.min });
    Object.assign(this.options, { max, min });
    this.#engine.resize(max);
    this.#upkeep.min = min;
    this.#readiness.check();
  }

  /** Closes idle connections now and the others when they are released; the pool stays usable. */
  reset(): void {
    this.#engine.reset();
  }

  /** @internal Gives up the first fill of `minConns`; the next health check resumes it. */
  stopFilling(): void {
    this.#upkeep.stopFilling();
  }

  /** The pool's reactions to the engine's events. */
  #listener({ observer }: PoolPlan): EngineListener<PooledConnection, CloseReason> {
    return {
      constructed: (error, reached) => {
        this.#acquires.lastConnectError = error;
        this.#readiness.constructed(error, reached);
        if (error === undefined) this.#upkeep.constructed();
      },
      placed: (slot) => slot.resource.place(slot, this.#engine),
      destroyed: (slot, from, reason, ageMs) => {
        this.#queries.lost?.(slot.resource);
        if (from === 'held' && !this.#acquires.lost(slot)) this.#checkouts.useEnded(slot, performance.now());
        const { reason: told, error } = closeOf(slot.resource, reason);
        observer.closed(told, ageMs, error);
      },
      freed: (slot, from) => {
        // A failed attempt is followed by a pause, and `resumed` is called when it ends.
        if (slot !== undefined) this.#upkeep.slotFreed();
        this.#shutdown.progressed();
        const lost = slot === undefined ? undefined : unheldLoss(slot, from);
        if (lost !== undefined && this.listenerCount('error') > 0) this.#notify('error', ...lost);
      },
      drained: () => this.#shutdown.progressed(),
      resumed: () => this.#upkeep.resumed(),
      unreachable: (error) => observer.unreachable(error),
      reachable: (outageMs) => observer.reachable(outageMs),
    };
  }

  #notify(event: string, ...args: unknown[]): void {
    try {
      this.emit(event, ...args);
    } catch (thrown) {
      throwLater(thrown);
    }
  }
}
