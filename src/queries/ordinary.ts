import type { DriverClient, DriverQuery } from '../connection/driver.js';
import { connectionOf } from '../connection/pooled-connection.js';
import type { QueryObserver } from '../observer.js';
import { throwLater } from '../throw-later.js';
import type { QueryCallback } from './call.js';
import type { LimitsInForce, Stop } from './limits.js';

/** How one query is run. */
export interface Run {
  readonly client: DriverClient;
  /** The driver's `query`. */
  readonly send: DriverQuery;
  readonly observer: QueryObserver | undefined;
  /** Unset for a query without limits. */
  readonly stopping: Stopping | undefined;
}

/** How one query is stopped. */
export interface Stopping {
  /** Puts the query's limits in force. */
  readonly limit: (stop: Stop) => LimitsInForce;
  /** Reports that the query was stopped. */
  readonly canceled: Stop;
}

/** Runs a query that is a text or a config; `callback` is called once. Throws if the driver refuses the query. */
export function runOrdinary(run: Run, config: unknown, values: unknown, callback: QueryCallback): void {
  const { client, send, observer, stopping } = run;
  let settled = false as boolean;
  const settle: QueryCallback = (error, result) => {
    if (settled) return;
    settled = true;
    limits?.clear();
    if (error) observer?.failed(error);
    else observer?.completed(returnedRows(result));
    callback(error, result);
  };
  let limits: LimitsInForce | undefined = undefined as LimitsInForce | undefined;
  try {
    send.call(client, config, values, settle);
  } catch (error) {
    observer?.failed(error);
    throw error;
  }
  // A query that settled at once needs no limits.
  if (stopping === undefined || settled) return;
  // The driver's query object is the last in its queue, unless it was sent at once.
  const own = client._queryQueue.at(-1) ?? client._getActiveQuery();
  limits = stopping.limit((reason, error) => {
    if (settled) return;
    settled = true;
    stopping.canceled(reason, error);
    withdraw(client, own, error);
    try {
      callback(error as Error);
    } catch (thrown) {
      throwLater(thrown);
    }
  });
}

/** Takes a query out of the client's queue, or stops it if it is running. */
export function withdraw(client: DriverClient, query: object | null | undefined, error: unknown): void {
  if (query == null) return;
  const place = client._queryQueue.indexOf(query);
  if (place !== -1) client._queryQueue.splice(place, 1);
  else if (client._getActiveQuery() === query) connectionOf(client)?.stopQuery(error);
}

interface Result {
  readonly fields?: readonly unknown[] | undefined;
  readonly rowCount?: number | null | undefined;
}

/** How many rows a result has, or the results of a text with several statements. */
export function returnedRows(result: unknown): number {
  const results = (Array.isArray(result) ? result : [result]) as (Result | undefined)[];
  let rows = 0;
  // Without fields, `rowCount` is the number of changed rows.
  for (const one of results) if (one?.fields?.length) rows += one.rowCount ?? 0;
  return rows;
}
