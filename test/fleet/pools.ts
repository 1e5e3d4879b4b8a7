import { EventEmitter } from 'node:events';
import pg from 'pg';
import { Engine } from '../../src/engine/engine.js';
import type { ResourceKind } from '../../src/engine/kind.js';
import type { Slot } from '../../src/engine/slot.js';
import type { ServerSession, SimulatedServer } from './server.js';

/**
 * The time limits of an attempt, unless a fleet sets another one, and of an acquire, in milliseconds; an acquire that
 * rides an outage out has the longer one.
 */
const CONNECT_TIMEOUT_MS = 4_000;
const ACQUIRE_TIMEOUT_MS = 4_000;
const PATIENT_TIMEOUT_MS = 120_000;

/** A pool as its callers see it. */
export interface SimulatedPool {
  /** Calls `served` with a function that releases the connection, or `failed` if there is none. */
  acquire(served: (release: () => void) => void, failed: () => void): void;
}

/** Makes the pools of a fleet. */
export type MakePool = (server: SimulatedServer, max: number) => SimulatedPool;

/** The real `pg.Pool`, on clients that dial the simulated server. */
export const pgPool: MakePool = (server, max) => {
  class SimulatedClient extends EventEmitter {
    readonly _queryable = true;
    #session: ServerSession | undefined;
    connect(done: (error?: Error) => void): void {
      const lost = (): void => void this.emit('error', new Error('lost'));
      this.#session = server.dial((error) => done(error), lost);
    }
    isConnected(): boolean {
      return false;
    }
    end(done?: () => void): void {
      this.#session?.close();
      if (done) process.nextTick(done);
    }
  }
  const pool = new pg.Pool({
    Client: SimulatedClient as unknown as typeof pg.Client,
    max,
    connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
    idleTimeoutMillis: 0,
  });
  pool.on('error', () => undefined);
  return {
    acquire(served, failed) {
      pool.connect((error, client, release) => {
        if (error || !client) {
          failed();
          return;
        }
        let lost = false as boolean;
        const onLost = (): void => void (lost = true);
        client.once('error', onLost);
        served(() => {
          client.off('error', onLost);
          release(lost);
        });
      });
    },
  };
};

/** A connection of the engine. */
interface Connection {
  session: ServerSession | undefined;
  slot: Slot<Connection> | undefined;
}

/** pgauge's engine on connections to the simulated server. */
export function pgauge(limits: {
  readonly connectRetryMs: number;
  readonly maxConnecting?: number;
  readonly connectTimeoutMs?: number;
}): MakePool {
  const { connectRetryMs, connectTimeoutMs = CONNECT_TIMEOUT_MS } = limits;
  return (server, max) => {
    const kind: ResourceKind<Connection, undefined, 'lost'> = {
      create(_, done) {
        const connection: Connection = { session: undefined, slot: undefined };
        const end = (error: Error | undefined): void => {
          clearTimeout(timer);
          if (error) done(error, undefined, false);
          else done(undefined, connection);
        };
        const abort = (): void => {
          connection.session?.close();
          end(new Error('timeout'));
        };
        const timer = setTimeout(abort, connectTimeoutMs);
        connection.session = server.dial(end, () => {
          if (connection.slot) engine.discard(connection.slot, 'lost');
        });
        return { abort };
      },
      judge: () => 'ready',
      whenSettled: (_, done) => done(),
      ping: (_, done) => process.nextTick(done, true),
      park: () => undefined,
      unpark: () => undefined,
      destroy: ({ session }) => session?.close(),
    };
    const ignore = (): void => undefined;
    const news = { constructed: ignore, destroyed: ignore, freed: ignore, drained: ignore, resumed: ignore };
    const engine = new Engine(
      kind,
      {
        ...{ ...news, unreachable: ignore, reachable: ignore },
        placed: (slot) => (slot.resource.slot = slot),
      },
      {
        ...{ max, maxConnecting: limits.maxConnecting ?? max, retryMs: connectRetryMs },
        ...{ maxPending: Infinity, lifetimeMs: 0, lifetimeJitterMs: 0, maxUses: Infinity },
        ...{ pingAfterMs: 1_000, settleMs: 1_000 },
        acquireTimeoutMs: 0,
        startDeadline: (ms, expired) => {
          const timer = setTimeout(() => expired(performance.now()), ms);
          return { clear: () => clearTimeout(timer), keepAlive: () => undefined };
        },
      },
    );
    const timeoutMs = connectRetryMs > 0 ? PATIENT_TIMEOUT_MS : ACQUIRE_TIMEOUT_MS;
    return {
      acquire(served, failed) {
        const give = (slot: Slot<Connection>): void => served(() => engine.release(slot, performance.now()));
        const slot = engine.tryAcquire(performance.now());
        if (slot) {
          give(slot);
          return;
        }
        engine.wait(
          {
            cause: undefined,
            waiting: ignore,
            served: give,
            rejected: failed,
            timeoutError: () => new Error('timeout'),
          },
          performance.now(),
          timeoutMs,
        );
      },
    };
  };
}
