import { AsyncLocalStorage } from 'node:async_hooks';
import type { AcquireObserver, CloseReason, PoolObserver } from '../observer.js';
import { ClosingSockets } from './closing-sockets.js';
import { failQueriesWith, type ConnectionOwner, type PooledConnection } from './pooled-connection.js';
import { Dial, type DialPlan } from './dial.js';
import { ping, type DriverClient } from './driver.js';
import type { EngineReason, ResourceKind } from '../engine/engine.js';
import type { Slot } from '../engine/slot.js';

/** How long a ping may take, in milliseconds. */
const PING_TIMEOUT_MS = 1_000;

/** Close reasons for what the engine does of itself; the others have the same name. */
const CLOSE_REASON: Partial<Record<EngineReason | CloseReason, CloseReason>> = {
  dead: 'network',
  unsettled: 'busy',
  reset: 'lifetime',
};

/** Runs what is dialled outside the request that asked for it, whose context would stick to the socket for life. */
const detached = AsyncLocalStorage.snapshot();

/** What the pool does when something happens to a connection. */
export interface ConnectionEvents {
  connected(client: DriverClient): void;
  dialed(error: unknown, background: boolean): void;
  lost(connection: PooledConnection, slot: Slot<PooledConnection>): void;
  closed(client: DriverClient): void;
  freed(): void;
}

/** PostgreSQL connections as the engine's resources. */
export class ConnectionKind
  implements ResourceKind<PooledConnection, AcquireObserver, CloseReason>, ConnectionOwner
{
  readonly closing = new ClosingSockets();

  constructor(
    private readonly plan: DialPlan,
    private readonly observer: PoolObserver,
    private readonly events: ConnectionEvents,
    private readonly endReason: () => unknown,
  ) {}

  create(
    cause: AcquireObserver | undefined,
    done: (error: unknown, connection?: PooledConnection) => void,
  ): { abort(): void } {
    const dial = new Dial(this.plan, this.observer.connecting(cause), this.closing);
    void detached(() =>
      dial.run().then(
        (connection) => {
          this.events.connected(connection.client);
          noteOpening(connection);
          done(undefined, connection);
        },
        (error: unknown) => done(error),
      ),
    );
    return { abort: () => dial.abort(this.endReason()) };
  }

  constructed(error: unknown, cause: AcquireObserver | undefined): void {
    this.events.dialed(error, cause === undefined);
  }

  placed(slot: Slot<PooledConnection>): void {
    const connection = slot.resource;
    connection.slot = slot;
    connection.listen();
    connection.owner = this;
  }

  lost(connection: PooledConnection): void {
    failQueriesWith(connection.client, connection.lostWith);
    if (connection.slot !== undefined) this.events.lost(connection, connection.slot);
  }

  judge(connection: PooledConnection): 'ready' | 'settling' | CloseReason {
    const { client, readOnly, erred, opening } = connection;
    // Its query is being cancelled, and then it goes.
    if (connection.lostWith !== undefined) return 'settling';
    if (client._ending) return 'released_with_error';
    if (client.readyForQuery !== true) {
      const active = client._getActiveQuery();
      // A failed query's callback runs before ReadyForQuery, and with a stale transaction state.
      const reported = erred || active == null || opening?.has(active) || hasEnded(active);
      const nothingFollows = client._queryQueue.every((query) => opening?.has(query));
      return reported && nothingFollows ? 'settling' : 'busy';
    }
    // A callback runs before what is queued behind its query is sent.
    if (client._queryQueue.length > 0) return 'settling';
    if (readOnly) return 'read_only';
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

  destroy(connection: PooledConnection, reason: EngineReason | CloseReason, ageMs: number): void {
    const { client } = connection;
    this.closing.destroy(client, () => this.events.closed(client));
    connection.owner = undefined;
    const closeReason = CLOSE_REASON[reason] ?? (reason as CloseReason);
    this.observer.closed(closeReason, ageMs, connection.lostWith);
  }

  freed(): void {
    this.events.freed();
  }
}

/** A stream that has given all it has, which a COPY TO does before the server says that it is ready. */
function hasEnded(query: object): boolean {
  return (query as { readableEnded?: unknown }).readableEnded === true;
}

function noteOpening(connection: PooledConnection): void {
  const { client } = connection;
  const active = client._getActiveQuery();
  if (client.readyForQuery === true || active == null) return;
  connection.opening = new Set([active, ...client._queryQueue]);
  client.once('drain', () => {
    connection.opening = undefined;
  });
}
