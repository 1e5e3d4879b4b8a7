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

/** A connection that is retired when its password expires is retired earlier by up to this share of the time left. */
const RETIREMENT_JITTER_RATIO = 0.1;

/** The engine, which frees the slot of a lost connection. */
export interface SlotOwner {
  discard(slot: Slot<PooledConnection>, reason: CloseReason): void;
}

/** The connections to one of several hosts. */
export interface HostGroup extends HostGauge {
  readonly members: Set<PooledConnection>;
  /** Whether a server that accepts no writes is the wrong one. */
  readonly mustWrite: boolean;
}

interface Place {
  readonly slot: Slot<PooledConnection>;
  readonly owner: SlotOwner;
}

/** A physical client and the pool's state for it. */
export class PooledConnection implements Watched {
  /** Set with the first error after login: the client is dead. */
  lostWith: unknown;
  lossReason: CloseReason = 'network';
  dismissal: unknown;
  /** Set when the session must not go to another user: the reason, and the server's error, if that is the cause. */
  unfit: { readonly reason: CloseReason; readonly error?: ServerError | undefined } | undefined;
  /** Set while its query is being stopped: `error` is what the query's caller got. */
  stopping: { readonly error: unknown; readonly forget: () => void } | undefined;
  /** Observes its queries; set with the first observed query. */
  observer: SessionObserver | undefined;
  /** The connections to its host, if that is one of several or must be of a certain kind. */
  host: HostGroup | undefined;
  erred = false;
  /** Whether several queries may be in flight on it, and more may join them. */
  sharing = false;
  /** Retires it when the password that opened it expires. */
  #retirement: NodeJS.Timeout | undefined;
  #statementsForgotten = false;
  /** Unset before the connection has a slot, and again once it is destroyed: errors at these times are not a loss. */
  #place: Place | undefined;

  constructor(
    readonly client: DriverClient,
    /** Counts the sockets of its cancel requests. */
    readonly sockets: ClosingSockets,
    /** How its cancel requests reach the server, if not by TCP. */
    readonly way?: WayToServer,
  ) {
    // This key can cancel the session's queries, so it must not be printed.
    Object.defineProperty(client, 'secretKey', { value: null, writable: true, enumerable: false });
    // Before connecting, so that there is always a listener for errors.
    watch(client, this);
  }

  /** Retires the connection before this Unix time in milliseconds: at once when it is idle then, else when it is returned. */
  retireBefore(endMs: number): void {
    // With jitter, so that not all connections of one password are retired at once.
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

  /** Called when the connection has its slot; from now on, its loss frees the slot. */
  place(slot: Slot<PooledConnection>, owner: SlotOwner): void {
    keepListening(this.client);
    this.#place = { slot, owner };
    this.host?.members.add(this);
  }

  /** Called when the connection is about to be destroyed. */
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
    // The driver cannot prepare anew a statement of a PREPARE in SQL, and a second failure may have another reason.
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
   * Stops the running query, whose caller got `error`. Meanwhile the connection is not handed out; it is given up
   * with the reason `timeout` if the server does not confirm in time that the query has stopped.
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
    // The connection is idle if its user released it and then used it: another caller could get it meanwhile.
    if (this.#place?.slot.state === 'idle') this.lose(error, 'timeout');
  }

  /** For a returned connection to be closed: returns the reason to close it now, none if its query must stop first. */
  condemn(reason: CloseReason): CloseReason | undefined {
    if (this.stopping === undefined) return reason;
    this.unfit ??= { reason };
    return undefined;
  }

  /** Retires every connection to the host, because its server is no longer of the wanted kind. */
  retireHost(): void {
    for (const member of this.host?.members ?? []) member.#retire('read_only');
  }

  /** Retires it at once when it is idle, else when it is returned. */
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

/** The pooled connection of a client that a pool made. */
export function connectionOf(client: DriverClient): PooledConnection | undefined {
  const watched = watchedOf(client);
  return watched instanceof PooledConnection ? watched : undefined;
}
