import type { Slot } from '../engine/slot.js';
import type { CloseReason } from '../observer.js';
import type { ClosingSockets } from './closing-sockets.js';
import type { DriverClient } from './driver.js';
import { failQueriesWith, keepListening, watch, watchedOf, type Watched } from './loss.js';
import { hasOtherStatements, isDismissal, unfitAfter, type ServerError } from './session-errors.js';
import { forgetStatements } from './statements.js';

/** Frees the slot of a lost connection: the engine. */
export interface SlotOwner {
  discard(slot: Slot<PooledConnection>, reason: CloseReason): void;
}

interface Place {
  readonly slot: Slot<PooledConnection>;
  readonly owner: SlotOwner;
}

/** A physical client and what the pool knows of it. */
export class PooledConnection implements Watched {
  /** Set with the first error after login: the client is dead, or will be once its cancel request has ended. */
  lostWith: unknown;
  lossReason: CloseReason = 'network';
  dismissal: unknown;
  /** Set by an error after which the session is not for another user: why, and the error. */
  unfit: { readonly reason: CloseReason; readonly error: ServerError } | undefined;
  erred = false;
  #statementsForgotten = false;
  /** Unset before the connection has a slot, and again once it is destroyed: what happens then is no loss. */
  #place: Place | undefined;

  constructor(
    readonly client: DriverClient,
    /** Where the sockets of its cancel requests count. */
    readonly sockets: ClosingSockets,
  ) {
    // A key that can cancel this session's queries must not be printed.
    Object.defineProperty(client, 'secretKey', { value: null, writable: true, enumerable: false });
    // Before connecting, so that an error finds a listener at every moment.
    watch(client, this);
  }

  /** The connection has its slot; from now on its loss frees it. */
  place(slot: Slot<PooledConnection>, owner: SlotOwner): void {
    keepListening(this.client);
    this.#place = { slot, owner };
  }

  /** The connection is about to be destroyed. */
  displace(): void {
    this.#place = undefined;
  }

  errorReceived(error: ServerError): void {
    if (isDismissal(error)) this.dismissal = error;
    const reason = this.dismissal === undefined ? unfitAfter(error) : 'server_closed';
    if (reason !== undefined) this.unfit = { reason, error };
    if (!hasOtherStatements(error)) return;
    const { connection } = this.client;
    const { name } = (this.client._getActiveQuery() ?? {}) as { readonly name?: string };
    // One of a PREPARE in SQL is not the driver's to prepare anew, and what failed twice may fail for another reason.
    if (!name || this.#statementsForgotten) this.unfit ??= { reason: 'released_with_error', error };
    forgetStatements(connection);
    this.#statementsForgotten = true;
  }

  lose(error: unknown, reason: CloseReason): void {
    if (this.lostWith !== undefined) return;
    this.lostWith = error;
    this.lossReason = reason;
    this.#leave();
  }

  /**
   * Gives up the connection of a query that took too long: nothing that still arrives is read, and its queries fail. Returns
   * what frees its slot, for when the cancel request has ended, or `undefined` if the connection is lost already.
   */
  giveUp(error: Error): (() => void) | undefined {
    if (this.lostWith !== undefined) return undefined;
    // An idle connection could be handed out meanwhile, and an attempt that fails closes its client by itself.
    if (this.#place?.slot.state !== 'held') {
      this.lose(error, 'timeout');
      return () => undefined;
    }
    this.lostWith = error;
    this.lossReason = 'timeout';
    // What the server still says would make the driver send the next query of the queue.
    this.client.connection.stream.pause();
    failQueriesWith(this.client, error);
    return () => this.#leave();
  }

  #leave(): void {
    if (this.#place === undefined) return;
    failQueriesWith(this.client, this.lostWith);
    this.#place.owner.discard(this.#place.slot, this.lossReason);
  }
}

/** The pool's knowledge of a client that it made. */
export function connectionOf(client: DriverClient): PooledConnection | undefined {
  const watched = watchedOf(client);
  return watched instanceof PooledConnection ? watched : undefined;
}
