import type { Slot } from '../engine/slot.js';
import { MAX_TIMER_MS } from '../deadline.js';
import type { CloseReason, HostGauge, SessionObserver } from '../observer.js';
import type { ClosingSockets } from './closing-sockets.js';
import type { DriverClient } from './driver.js';
import { failQueriesWith, failQueued, keepListening, watch, watchedOf, type Watched } from './loss.js';
import { hasOtherStatements, isDismissal, unfitAfter, type ServerError } from './session-errors.js';
import { forgetStatements } from './statements.js';
import { stopRunning } from './stop.js';
import type { WayToServer } from './transport.js';

/** A connection that ends with its password is retired up to this share of the time left before. */
const RETIREMENT_JITTER_RATIO = 0.1;

/** Frees the slot of a lost connection: the engine. */
export interface SlotOwner {
  discard(slot: Slot<PooledConnection>, reason: CloseReason): void;
}

/** The connections to one of several hosts. */
export interface HostGroup extends HostGauge {
  readonly members: Set<PooledConnection>;
  /** Whether a server that takes no writes is the wrong one. */
  readonly mustWrite: boolean;
}

interface Place {
  readonly slot: Slot<PooledConnection>;
  readonly owner: SlotOwner;
}

/** A physical client and what the pool knows of it. */
export class PooledConnection implements Watched {
  /** Set with the first error after login: the client is dead. */
  lostWith: unknown;
  lossReason: CloseReason = 'network';
  dismissal: unknown;
  /** Set when the session is not for another user: why, and the server's error, if it is one. */
  unfit: { readonly reason: CloseReason; readonly error?: ServerError | undefined } | undefined;
  /** Set while its query is being stopped: what its caller got. */
  stopping: { readonly error: unknown; readonly forget: () => void } | undefined;
  /** Observes its queries, from the first that is observed. */
  observer: SessionObserver | undefined;
  /** The connections to its host, if it is one of several or must be of some kind. */
  host: HostGroup | undefined;
  erred = false;
  /** Several queries may be in flight on it, and more may join them. */
  sharing = false;
  /** Retires it at the end of the password that opened it. */
  #retirement: NodeJS.Timeout | undefined;
  #statementsForgotten = false;
  /** Unset before the connection has a slot, and again once it is destroyed: what happens then is no loss. */
  #place: Place | undefined;

  constructor(
    readonly client: DriverClient,
    /** Where the sockets of its cancel requests count. */
    readonly sockets: ClosingSockets,
    /** How its cancel requests get to the server, if not by TCP. */
    readonly way?: WayToServer,
  ) {
    // A key that can cancel this session's queries must not be printed.
    Object.defineProperty(client, 'secretKey', { value: null, writable: true, enumerable: false });
    // Before connecting, so that an error finds a listener at every moment.
    watch(client, this);
  }

  /** Retires the connection before this Unix time in milliseconds: at once when it is idle then, else when it is returned. */
  retireBefore(endMs: number): void {
    // Not all connections of one password at once.
    const leftMs = (endMs - Date.now()) * (1 - RETIREMENT_JITTER_RATIO * Math.random());
    this.#retirement = setTimeout(
      () => this.#retire('lifetime'),
      Math.min(Math.max(leftMs, 0), MAX_TIMER_MS),
    ).unref();
  }

  /** Its slot, unless it has none yet or was destroyed. */
  get slot(): Slot<PooledConnection> | undefined {
    return this.#place?.slot;
  }

  /** The connection has its slot; from now on its loss frees it. */
  place(slot: Slot<PooledConnection>, owner: SlotOwner): void {
    keepListening(this.client);
    this.#place = { slot, owner };
    this.host?.members.add(this);
  }

  /** The connection is about to be destroyed. */
  displace(): void {
    clearTimeout(this.#retirement);
    this.host?.members.delete(this);
    this.#place = undefined;
    this.stopping?.forget();
  }

  errorReceived(error: ServerError): void {
    if (isDismissal(error)) this.dismissal = error;
    const reason = this.dismissal === undefined ? unfitAfter(error) : 'server_closed';
    if (reason !== undefined) this.unfit = { reason, error };
    if (reason === 'read_only' && this.host?.mustWrite === true) this.retireHost();
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
    this.stopping?.forget();
    this.#leave();
  }

  /**
   * Stops the running query, whose caller got `error`. The connection is handed to nobody meanwhile; it is given up with the
   * reason `timeout` where the server does not show in time that it has stopped.
   */
  stopQuery(error: unknown): void {
    if (this.lostWith !== undefined || this.stopping !== undefined) return;
    const forget = stopRunning(this, (usable) => {
      this.stopping = undefined;
      if (usable) return;
      failQueued(this.client, error);
      this.lose(error, 'timeout');
    });
    this.stopping = { error, forget };
    // Somebody else could get an idle connection meanwhile: its user has released it and used it after that.
    if (this.#place?.slot.state === 'idle') this.lose(error, 'timeout');
  }

  /** Closes the connection on its return: gives the reason for now, or none while its query is being stopped, after which it is closed. */
  condemn(reason: CloseReason): CloseReason | undefined {
    if (this.stopping === undefined) return reason;
    this.unfit ??= { reason };
    return undefined;
  }

  /** Retires every connection to the host, which is no longer the one that is wanted. */
  retireHost(): void {
    for (const member of this.host?.members ?? []) member.#retire('read_only');
  }

  /** At once when it is idle, else when it is returned. */
  #retire(reason: CloseReason): void {
    this.unfit ??= { reason };
    if (this.#place?.slot.state === 'idle') this.#place.owner.discard(this.#place.slot, reason);
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
