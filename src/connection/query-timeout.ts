import { Deadline } from '../deadline.js';
import { QueryTimeoutError } from '../errors.js';
import { withCallersStack } from './callers-stack.js';
import { cancelRequest } from './cancel.js';
import { pg, type ClientClass, type DriverClient } from './driver.js';
import { connectionOf, type PooledConnection } from './pooled-connection.js';

type Query = (...args: unknown[]) => unknown;
type Callback = (error: Error | null | undefined, result?: unknown) => void;

/** A client class whose ordinary queries end after `timeoutMs`: rejected, cancelled on the server, their connection destroyed. */
export function clientWithQueryTimeout(timeoutMs: number): ClientClass {
  class TimedClient extends pg.Client {
    override query(...args: unknown[]): never {
      const superQuery = super.query.bind(this) as unknown as Query;
      return timed(this as unknown as DriverClient, superQuery, args, timeoutMs) as never;
    }
  }
  return TimedClient as unknown as ClientClass;
}

function timed(client: DriverClient, query: Query, args: unknown[], timeoutMs: number): unknown {
  const [config] = args;
  // Cursors and COPY last as long as their reader does: `statement_timeout` is for them.
  if (typeof (config as { submit?: unknown } | null | undefined)?.submit === 'function')
    return query(...args);
  const [, values, third] = args;
  const last = typeof values === 'function' ? values : third;
  const callback = last ?? (config as { callback?: unknown } | null | undefined)?.callback;
  const given = [config, last === values ? undefined : values];
  if (typeof callback === 'function') {
    run(client, query, given, timeoutMs, callback as Callback);
    return undefined;
  }
  // Refused by the driver.
  if (callback != null) return query(...args);
  return new Promise((resolve, reject) => {
    run(client, query, given, timeoutMs, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  }).catch(withCallersStack);
}

function cancelAndGiveUp(connection: PooledConnection, error: Error): void {
  // First: a socket that is closed forgets its peer.
  const cancel = cancelRequest(connection.client, connection.sockets);
  const free = connection.giveUp(error);
  // The slot is freed afterwards: once the client is gone, PgBouncer no longer knows which query to cancel.
  if (free !== undefined) cancel(free);
}

function run(
  client: DriverClient,
  query: Query,
  args: unknown[],
  timeoutMs: number,
  callback: Callback,
): void {
  let settled = false;
  const settle: Callback = (error, result) => {
    if (settled) return;
    settled = true;
    deadline?.clear();
    callback(error, result);
  };
  let deadline: Deadline | undefined = undefined as Deadline | undefined;
  // This throws what the driver refuses, and may settle at once: in neither case is there anything to time.
  query(...args, settle);
  if (settled as boolean) return;
  const late = (): void => {
    const error = new QueryTimeoutError(timeoutMs);
    const connection = connectionOf(client);
    if (connection !== undefined) cancelAndGiveUp(connection, error);
    settle(error);
  };
  deadline = new Deadline(timeoutMs, late, true);
}
