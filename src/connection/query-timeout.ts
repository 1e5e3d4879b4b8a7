import { Deadline, MAX_TIMER_MS } from '../deadline.js';
import { QueryTimeoutError } from '../errors.js';
import { withCallersStack } from './callers-stack.js';
import { cancelRequest } from './cancel.js';
import { pg, type ClientClass, type DriverClient } from './driver.js';
import { connectionOf, type PooledConnection } from './pooled-connection.js';

type Query = (...args: unknown[]) => unknown;
type Callback = (error: Error | null | undefined, result?: unknown) => void;

/**
 * A client class whose ordinary queries end after `timeoutMs`, 0 for never, or after the `query_timeout` of their config:
 * rejected, cancelled on the server, their connection destroyed. It refuses members of a query's config that promise an end.
 */
export function clientClass(timeoutMs: number): ClientClass {
  // Programs look at the name.
  class Client extends pg.Client {
    override query(...args: unknown[]): never {
      const superQuery = super.query as unknown as Query;
      const [config] = args;
      // Cursors and COPY last as long as their reader does: `statement_timeout` is for them.
      if (typeof config !== 'object' || config === null || 'submit' in config) {
        return (
          timeoutMs > 0 && typeof config === 'string'
            ? timed(this as unknown as DriverClient, superQuery, args, timeoutMs)
            : superQuery.apply(this, args)
        ) as never;
      }
      return configured(this as unknown as DriverClient, superQuery, args, config, timeoutMs) as never;
    }
  }
  return Client as unknown as ClientClass;
}

const BOUND_ONE = 'use query_timeout, in milliseconds, or the option queryTimeoutMs';
const ABORT_ACQUIRE = `abort the acquire with connect({ signal }), and to bound the query ${BOUND_ONE}`;

/** What people expect of a query's config and the driver would ignore, with what to use instead. */
const REFUSED: readonly (readonly [name: string, instead: string])[] = [
  ['signal', ABORT_ACQUIRE],
  ['abortSignal', ABORT_ACQUIRE],
  ['timeout', BOUND_ONE],
  ['timeoutMs', BOUND_ONE],
  ['queryTimeoutMs', 'it is an option of the pool: use query_timeout for a single query'],
  ['statement_timeout', 'it is a setting of the session: use query_timeout for a single query'],
];

/** Runs a query that has a config. */
function configured(
  client: DriverClient,
  query: Query,
  args: unknown[],
  config: object,
  timeoutMs: number,
): unknown {
  const given = config as Readonly<Record<string, unknown>>;
  for (const [name, instead] of REFUSED) {
    if (given[name] !== undefined) {
      return failed(args, new TypeError(`a query does not take ${name}: ${instead}`));
    }
  }
  const { query_timeout: own = timeoutMs } = given;
  if (typeof own !== 'number' || !(own >= 0 && own <= MAX_TIMER_MS)) {
    return failed(
      args,
      new TypeError(`query_timeout must be a number of milliseconds from 0 to ${MAX_TIMER_MS}`),
    );
  }
  if (own === 0 && given['query_timeout'] === undefined) return query.apply(client, args);
  // The driver's own limit would leave the query running on the server, and some of its versions write into the config.
  const prototype = Object.getPrototypeOf(config) as object | null;
  const copy = Object.assign(Object.create(prototype) as object, config, { query_timeout: undefined });
  const rest = [copy, ...args.slice(1)];
  return own > 0 ? timed(client, query, rest, own) : query.apply(client, rest);
}

/** The callback of a query in any of the forms that the driver takes. */
function callbackOf([config, values, third]: readonly unknown[]): unknown {
  const last = typeof values === 'function' ? values : third;
  return last ?? (config as { callback?: unknown }).callback;
}

function failed(args: readonly unknown[], error: Error): unknown {
  const callback = callbackOf(args);
  if (typeof callback !== 'function') return Promise.reject(error);
  process.nextTick(callback, error);
  return undefined;
}

function timed(client: DriverClient, query: Query, args: unknown[], timeoutMs: number): unknown {
  const [config, values] = args;
  const callback = callbackOf(args);
  const given = [config, typeof values === 'function' ? undefined : values];
  if (typeof callback === 'function') {
    run(client, query, given, timeoutMs, callback as Callback);
    return undefined;
  }
  // Refused by the driver.
  if (callback != null) return query.apply(client, args);
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
  query.apply(client, [...args, settle]);
  if (settled as boolean) return;
  const late = (): void => {
    const error = new QueryTimeoutError(timeoutMs);
    const connection = connectionOf(client);
    if (connection !== undefined) cancelAndGiveUp(connection, error);
    settle(error);
  };
  deadline = new Deadline(timeoutMs, late, true);
}
