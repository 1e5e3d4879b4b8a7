import type { Engine } from '../engine/engine.js';
import type { EngineReason, Reached, ResourceKind } from '../engine/kind.js';
import type { AcquireObserver, AttemptObserver, CloseReason, PoolObserver } from '../observer.js';
import { ClosingSockets } from './closing-sockets.js';
import { detached } from './detached.js';
import { Dial } from './dial.js';
import { pg, type DriverClient } from './driver.js';
import { HostsAttempt } from './hosts/attempt.js';
import { ping } from './ping.js';
import type { DialPlan } from './plan.js';
import type { PooledConnection } from './pooled-connection.js';
import { reachedServer } from './reach.js';
import type { SessionReset } from './session-reset.js';

/** How long a ping may take, in milliseconds. */
const PING_TIMEOUT_MS = 1_000;

/** The reported reason for each of the engine's own reasons. */
const REPORTED_REASONS: Readonly<Record<EngineReason, CloseReason>> = {
  idle: 'idle',
  lifetime: 'lifetime',
  reset: 'lifetime',
  resize: 'lifetime',
  max_uses: 'max_uses',
  pool_end: 'pool_end',
  dead: 'network',
  unsettled: 'busy',
};

/** Why the engine destroyed a connection, and the error behind it, if there is one. */
export function closeOf(
  { lostWith, unfit, stopping }: PooledConnection,
  reason: EngineReason | CloseReason,
): { readonly reason: CloseReason; readonly error: unknown } {
  // A returned connection has as long to settle as its query has to stop, or a little less after a stall.
  if (reason === 'unsettled' && stopping !== undefined) return { reason: 'timeout', error: stopping.error };
  return {
    reason: reported(reason),
    error: lostWith ?? (unfit?.reason === reason ? unfit.error : undefined),
  };
}

function reported(reason: EngineReason | CloseReason): CloseReason {
  return Object.hasOwn(REPORTED_REASONS, reason)
    ? REPORTED_REASONS[reason as EngineReason]
    : (reason as CloseReason);
}

/** Notifies the pool's listeners that a client has connected, or that its socket has closed. */
export type ClientNews = (event: 'connect' | 'remove', client: DriverClient) => void;

/** The engine of a pool of connections. */
export type ConnectionEngine = Engine<PooledConnection, AcquireObserver, CloseReason>;

/** PostgreSQL connections as the engine's resources. */
export class ConnectionKind implements ResourceKind<PooledConnection, AcquireObserver, CloseReason> {
  readonly closing = new ClosingSockets();
  readonly #plan: DialPlan;
  readonly #observer: PoolObserver;
  readonly #tell: ClientNews;
  readonly #endReason: () => unknown;
  readonly reset: SessionReset | undefined;

  /** `reset` runs after every release; `endReason` makes the error of attempts that are given up because the pool ends. */
  constructor(
    plan: DialPlan,
    observer: PoolObserver,
    tell: ClientNews,
    endReason: () => unknown,
    reset: SessionReset | undefined,
  ) {
    this.reset = reset;
    this.#plan = plan;
    this.#observer = observer;
    this.#tell = tell;
    this.#endReason = endReason;
  }

  create(
    cause: AcquireObserver | undefined,
    done: (error: unknown, connection?: PooledConnection, reached?: Reached) => void,
  ): { abort(): void } {
    const { hosts } = this.#plan;
    const observe = (): AttemptObserver => this.#observer.connecting(cause);
    const dial =
      hosts === undefined
        ? new Dial(this.#plan, observe(), this.closing)
        : new HostsAttempt(this.#plan, hosts, observe, this.closing);
    // Otherwise the socket would keep the async context of the request that caused the dial for life.
    void detached(() =>
      dial.run().then(
        (connection) => {
          this.#tell('connect', connection.client);
          done(undefined, connection);
        },
        (error: unknown) => done(error, undefined, reachedServer(error, dial.phase)),
      ),
    );
    return { abort: () => dial.abort(this.#endReason()) };
  }

  judge(connection: PooledConnection): 'ready' | 'settling' | CloseReason {
    const { client, unfit, erred } = connection;
    if (connection.stopping !== undefined) return 'settling';
    if (client._ending) return 'released_with_error';
    if (client.readyForQuery !== true) {
      const active = client._getActiveQuery();
      // A failed query's callback runs before ReadyForQuery, and with a stale transaction state.
      return erred || active == null || endsByItself(active) ? 'settling' : 'busy';
    }
    // A query's callback runs before the queries that are queued behind it are sent.
    if (client._queryQueue.length > 0) return 'settling';
    if (unfit !== undefined) return unfit.reason;
    return client.getTransactionStatus() === 'I' ? 'ready' : 'tx_open';
  }

  whenSettled(connection: PooledConnection, done: () => void): void {
    connection.client.once('drain', () => {
      connection.erred = false;
      done();
    });
  }

  ping({ client }: PooledConnection, done: (alive: boolean) => void): void {
    ping(client, PING_TIMEOUT_MS, done);
  }

  park({ client }: PooledConnection): void {
    client.unref();
  }

  unpark({ client }: PooledConnection): void {
    client.ref();
  }

  destroy(connection: PooledConnection): void {
    const { client } = connection;
    this.closing.close(client, () => this.#tell('remove', client));
    connection.displace();
  }
}

/**
 * Whether the query ends without further calls of its user. A cursor or a COPY lasts as long as it is read or written;
 * once it was closed, or its last byte was read or written, only the server's ReadyForQuery is outstanding.
 */
function endsByItself(query: object): boolean {
  if (query instanceof pg.Query) return true;
  const { readableEnded, writableEnded, state, cursor } = query as {
    readonly readableEnded?: unknown;
    readonly writableEnded?: unknown;
    readonly state?: unknown;
    /** The cursor of a stream of rows. */
    readonly cursor?: { readonly state?: unknown };
  };
  return readableEnded === true || writableEnded === true || (cursor?.state ?? state) === 'done';
}
