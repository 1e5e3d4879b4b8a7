import { sqlState } from '../foreign-error.js';
import type { CloseReason } from '../observer.js';
import { withCallersStack } from './callers-stack.js';
import type { DriverClient, DriverConnection } from './driver.js';
import type { ServerError } from './session-errors.js';

/** Receives the events of a client that concern its loss. */
export interface Watched {
  /** The server sent an error, and the query that it answers is still the active one. */
  errorReceived(error: ServerError): void;
  /** The error with which the server ended the session. */
  readonly dismissal: unknown;
  /** The last query failed before anything was sent, and the driver has not yet cleaned up. */
  erred: boolean;
  /** Marks the client as dead; only the first call counts. */
  lose(error: unknown, reason: CloseReason): void;
}

const WATCHED = Symbol('pgauge.connection');

type Tag = { [WATCHED]?: Watched };
type TaggedClient = DriverClient & Tag;
type TaggedConnection = DriverConnection & Tag;

/**
 * Watches a client that is not yet connected. All clients share the listeners, which find their `Watched` by a tag on
 * the client: a closure for each client would be a tenth of the heap that an idle connection takes.
 */
export function watch(client: DriverClient, watched: Watched): void {
  Object.defineProperty(client, WATCHED, { value: watched });
  keepListening(client);
  const connection: TaggedConnection = client.connection;
  Object.defineProperty(connection, WATCHED, { value: watched });
  connection.on('errorMessage', onErrorMessage);
  connection.bind = watchedBind;
}

/** The `Watched` that `watch` was given for a client. */
export function watchedOf(client: TaggedClient): Watched | undefined {
  return client[WATCHED];
}

/** Listens again if a user removed all listeners: an error without a listener would end the process. */
export function keepListening(client: DriverClient): void {
  if (client.listenerCount('error', onError) === 0) client.on('error', onError);
  if (client.listenerCount('end', onEnd) === 0) client.on('end', onEnd);
}

function onError(this: TaggedClient, error: unknown): void {
  const watched = this[WATCHED];
  const dismissed = watched?.dismissal !== undefined || sqlState(error) !== undefined;
  watched?.lose(error, dismissed ? 'server_closed' : 'network');
}

function onErrorMessage(this: TaggedConnection, message: ServerError): void {
  this[WATCHED]?.errorReceived(message);
}

/** A value that cannot be sent fails its query within `bind`, and the driver cleans up later. */
function watchedBind(this: TaggedConnection, config: unknown): void {
  const { bind } = Object.getPrototypeOf(this) as DriverConnection;
  try {
    bind.call(this, config);
  } catch (error) {
    const watched = this[WATCHED];
    if (watched !== undefined) {
      watched.erred = true;
      this.once('readyForQuery', () => (watched.erred = false));
    }
    throw error;
  }
}

function onEnd(this: TaggedClient): void {
  // The client was not lost before: its user called `client.end()`.
  this[WATCHED]?.lose(new Error('Connection terminated'), 'released_with_error');
}

type Query = (...args: unknown[]) => unknown;

/** Makes the queries that were not sent yet fail with the error for which their client is about to be lost. */
export function failQueued({ _queryQueue, connection }: DriverClient, error: unknown): void {
  for (const query of _queryQueue.splice(0) as { handleError(error: unknown, connection: object): void }[]) {
    process.nextTick(() => query.handleError(error, connection));
  }
}

/** Makes queries on a lost client fail with the error of the loss, instead of the driver's generic one. */
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
