import type { CloseReason } from '../observer.js';
import { withCallersStack } from './callers-stack.js';
import type { DriverClient, DriverConnection } from './driver.js';
import type { Slot } from '../engine/slot.js';

const CONNECTION = Symbol('pgauge.connection');

type Tag = { [CONNECTION]?: PooledConnection };
type Tagged = DriverClient & Tag;
type TaggedConnection = DriverConnection & Tag;

/** Who has a connection and is told when it is lost. */
export interface ConnectionOwner {
  lost(connection: PooledConnection): void;
}

/**
 * A physical client and what the pool knows of it. What listens on it is shared by all and finds it by its tag: a function of
 * its own for each would be a tenth of the heap that an idle connection takes.
 */
export class PooledConnection {
  slot: Slot<PooledConnection> | undefined;
  /** Set with the first error after login: the client is dead, or will be once its cancel request is through. */
  lostWith: unknown;
  lossReason: CloseReason = 'network';
  /** Its last query failed before anything was sent, and the driver has not yet tidied up. */
  erred = false;
  /** Queries that a `connect` listener or `afterConnect` left in flight: nobody's checkout began them. */
  opening: ReadonlySet<object> | undefined;
  /** The server said that it takes no writes (SQLSTATE 25006). */
  readOnly = false;
  /** What the server said when it ended the session. */
  dismissal: unknown;
  /** Unset before it has its place, and again from when it is destroyed: nothing that happens then is a loss. */
  owner: ConnectionOwner | undefined;

  constructor(readonly client: DriverClient) {
    Object.defineProperty(client, CONNECTION, { value: this });
    // A key that cancels this session's queries is nobody's to print.
    Object.defineProperty(client, 'secretKey', { value: null, writable: true, enumerable: false });
    // Before connecting, so that an error finds a listener at every moment.
    this.listen();
    const connection: TaggedConnection = client.connection;
    Object.defineProperty(connection, CONNECTION, { value: this });
    connection.on('errorMessage', onErrorMessage);
    connection.bind = watchedBind;
  }

  /** Listens again if a user removed all listeners: an error without one would end the process. */
  listen(): void {
    const { client } = this;
    if (client.listenerCount('error', onError) === 0) client.on('error', onError);
    if (client.listenerCount('end', onEnd) === 0) client.on('end', onEnd);
  }

  /** It is dead or must be treated so: its slot is given up, and its queries fail with `error`. */
  lose(error: unknown, reason: CloseReason): void {
    if (this.lostWith !== undefined) return;
    this.lostWith = error;
    this.lossReason = reason;
    this.owner?.lost(this);
  }
}

/**
 * Gives up the connection of a client whose query took too long: nothing more comes from it, and its queries fail when it is
 * closed. Returns what frees its slot, for when the cancel request is through, or `undefined` if it is given up already.
 */
export function giveUpTimedOut(client: DriverClient, error: Error): (() => void) | undefined {
  const connection = (client as Tagged)[CONNECTION];
  if (connection === undefined || connection.lostWith !== undefined) return undefined;
  // What is idle could be handed out meanwhile, and an attempt that fails closes its client by itself.
  if (connection.slot?.state !== 'held') {
    connection.lose(error, 'timeout');
    return () => undefined;
  }
  connection.lostWith = error;
  connection.lossReason = 'timeout';
  // What the server still says would have the driver send the next query of the queue.
  client.connection.stream.pause();
  failQueriesWith(client, error);
  return () => connection.owner?.lost(connection);
}

export function isSqlState(code: unknown): code is string {
  // Node's own codes of five letters (EPIPE) have no digit.
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code);
}

function onError(this: Tagged, error: unknown): void {
  // What the server says in an error message ends the session; what the socket says is the network's.
  const connection = this[CONNECTION];
  const dismissed = connection?.dismissal !== undefined || isSqlState((error as { code?: unknown }).code);
  connection?.lose(error, dismissed ? 'server_closed' : 'network');
}

function onErrorMessage(
  this: TaggedConnection,
  message: { readonly code?: string; readonly severity?: string },
): void {
  const connection = this[CONNECTION];
  if (connection === undefined) return;
  // The severity is in the server's language; class 57P is an operator's intervention in any.
  if (/^(FATAL|PANIC)$/.test(message.severity ?? '') || message.code?.startsWith('57P'))
    connection.dismissal = message;
  if (message.code === '25006') connection.readOnly = true;
}

/** A value that cannot be sent fails its query within `bind`, and the driver tidies up after. */
function watchedBind(this: TaggedConnection, config: unknown): void {
  const { bind } = Object.getPrototypeOf(this) as DriverConnection;
  try {
    bind.call(this, config);
  } catch (error) {
    const connection = this[CONNECTION];
    if (connection !== undefined) {
      connection.erred = true;
      this.once('readyForQuery', () => (connection.erred = false));
    }
    throw error;
  }
}

function onEnd(this: Tagged): void {
  // Not lost before: its user called `client.end()`.
  this[CONNECTION]?.lose(new Error('Connection terminated'), 'released_with_error');
}

type Query = (...args: unknown[]) => unknown;

/** Lets queries on a lost client fail with the error that it was lost with, instead of the driver's stand-in for it. */
export function failQueriesWith(client: DriverClient, error: unknown): void {
  const original = client.query as unknown as Query;
  const query: Query = (...args) => {
    const [config] = args;
    const last = args.length - 1;
    const callback = args[last];
    if (typeof callback === 'function') {
      args[last] = (failure: unknown, result: unknown): void => {
        (callback as Query)(failure && error, result);
      };
      return original.apply(client, args);
    }
    const outcome = original.apply(client, args);
    if (outcome === config || !(outcome instanceof Promise)) return outcome;
    return outcome.catch(() => withCallersStack(error));
  };
  Object.defineProperty(client, 'query', { value: query, configurable: true, writable: true });
}
