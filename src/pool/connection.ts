import type { CloseReason } from '../hooks.js';
import { withCallersStack } from './callers-stack.js';
import type { DriverClient } from './driver.js';
import type { Slot } from './slot.js';

const CONNECTION = Symbol('pgauge.connection');

type Tagged = DriverClient & { [CONNECTION]?: PooledConnection };

/** A physical client and what the pool knows of it. */
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
  onLost: (connection: PooledConnection) => void = () => undefined;

  constructor(readonly client: DriverClient) {
    Object.defineProperty(client, CONNECTION, { value: this });
    // A key that cancels this session's queries is nobody's to print.
    Object.defineProperty(client, 'secretKey', { value: null, writable: true, enumerable: false });
    // Before connecting, so that an error finds a listener at every moment.
    this.listen();
    client.connection.on('errorMessage', (message: { code?: string; severity?: string }) => {
      // The severity is in the server's language; class 57P is an operator's intervention in any.
      if (/^(FATAL|PANIC)$/.test(message.severity ?? '') || message.code?.startsWith('57P'))
        this.dismissal = message;
      if (message.code === '25006') this.readOnly = true;
    });
    this.#watchBind();
  }

  /** A value that cannot be sent fails its query within `bind`, and the driver tidies up after. */
  #watchBind(): void {
    const { connection } = this.client;
    const bind = connection.bind.bind(connection);
    connection.bind = (config) => {
      try {
        bind(config);
      } catch (error) {
        this.erred = true;
        connection.once('readyForQuery', () => (this.erred = false));
        throw error;
      }
    };
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
    this.onLost(this);
  }
}

/**
 * Gives up the connection of a client whose query took too long: queries on it fail from now on. Returns what frees its
 * slot, for when the cancel request is through, or `undefined` if it is given up already.
 */
export function giveUpTimedOut(client: DriverClient, error: Error): (() => void) | undefined {
  const connection = (client as Tagged)[CONNECTION];
  if (connection === undefined || connection.lostWith !== undefined) return undefined;
  connection.lostWith = error;
  connection.lossReason = 'timeout';
  // What the server still says would have the driver send the next query of the queue.
  client.connection.stream.pause();
  failQueriesWith(client, error);
  return () => connection.onLost(connection);
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
