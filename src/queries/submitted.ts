import { Readable, Writable } from 'node:stream';
import { pg } from '../connection/driver.js';
import { appended } from '../sql/comment.js';
import { throwLater } from '../throw-later.js';
import { checkedSignal, type LimitsInForce, type Stop } from './limits.js';
import { returnedRows, withdraw, type Run } from './ordinary.js';

type Handler = (...args: unknown[]) => unknown;

/** A query object of the driver's protocol: a cursor, a stream, a COPY or a `pg.Query`. */
export interface SubmittedQuery {
  submit(connection: unknown): unknown;
  handleError?: Handler;
  handleReadyForQuery?: Handler;
  handleDataRow?: Handler;
  callback?: unknown;
  close?: unknown;
  readonly text?: unknown;
  readonly values?: unknown;
  readonly name?: unknown;
  readonly signal?: unknown;
  /** The cursor of a stream of rows. */
  readonly cursor?: { readonly text?: unknown; readonly values?: unknown; readonly _conf?: unknown };
  /** The config that a cursor was made with. */
  readonly _conf?: unknown;
}

/** Whether the driver would submit it unchanged. */
export function isSubmitted(query: object): query is SubmittedQuery {
  return typeof (query as Partial<SubmittedQuery>).submit === 'function';
}

/** The signal of a query object: its own, that of the config of a cursor, or that of the call. */
export function signalOf(query: SubmittedQuery, options: unknown): AbortSignal | undefined {
  for (const holder of [options, query, query._conf, query.cursor?._conf]) {
    if (typeof holder !== 'object' || holder === null) continue;
    const { signal } = holder as { readonly signal?: unknown };
    if (signal != null) return checkedSignal(signal);
  }
  return undefined;
}

/** Runs a query object and watches its handlers to detect its end. */
export function runSubmitted(run: Run, query: SubmittedQuery, args: readonly unknown[]): unknown {
  const { client, observer, stopping } = run;
  let over = false;
  let stopped: unknown;
  let rows: number | undefined;
  let limits: LimitsInForce | undefined = undefined as LimitsInForce | undefined;
  const end = (report: () => void): void => {
    if (over) return;
    over = true;
    limits?.clear();
    report();
  };
  before(query, 'handleDataRow', () => {
    rows = (rows ?? 0) + 1;
    return undefined;
  });
  before(query, 'handleReadyForQuery', () => {
    // If a row could not be parsed, the driver calls handleError next.
    if (!(query as { readonly _canceledDueToError?: unknown })._canceledDueToError) {
      end(() => observer?.completed(rowsOf(query, rows)));
    }
    return undefined;
  });
  before(query, 'handleError', ([error, ...rest]) => {
    end(() => observer?.failed(error));
    return [stopped ?? error, ...rest];
  });
  const stop: Stop = (reason, error) => {
    end(() => {
      stopped = error;
      stopping?.canceled(reason, error);
      withdraw(client, query, error);
      try {
        if (typeof query.callback === 'function') (query.callback as Handler)(error);
        failSubmitted(query, error as Error);
      } catch (thrown) {
        throwLater(thrown);
      }
      if (!isStream(query)) mute(query);
    });
  };
  if (observer !== undefined && observer.comment !== '') appendTo(query, observer.comment);
  let outcome: unknown;
  try {
    outcome = run.send.apply(client, args as unknown[]);
  } catch (error) {
    end(() => observer?.failed(error));
    throw error;
  }
  if (!(over as boolean)) limits = stopping?.limit(stop);
  return outcome;
}

/** Fails a query object that will not be sent, or not continue. */
export function failSubmitted(query: SubmittedQuery, error: Error): void {
  if (!isStream(query)) {
    query.handleError?.(error);
    return;
  }
  const stream = query as Readable | Writable;
  stream.destroy(error);
  // A COPY closes only when it receives the server's answer.
  if ((query as { readonly connection?: unknown }).connection == null) {
    setImmediate(() => setImmediate(() => stream.closed || query.handleError?.(error)));
  }
}

/** Whether a query object is a stream. */
export function isStream(query: unknown): query is Readable | Writable {
  return query instanceof Readable || query instanceof Writable;
}

function appendTo(query: SubmittedQuery, comment: string): void {
  const holder = (query.cursor ?? query) as { text?: unknown };
  if (typeof holder.text === 'string') holder.text = appended(holder.text, comment);
}

/** Calls `first` before a method of a query; its result, if any, replaces the method's arguments. */
function before(
  query: SubmittedQuery,
  name: 'handleDataRow' | 'handleReadyForQuery' | 'handleError',
  first: (args: unknown[]) => unknown[] | undefined,
): void {
  const original = query[name];
  if (typeof original !== 'function') return;
  query[name] = (...args) => original.apply(query, first(args) ?? args);
}

const HANDLERS = [
  'handleRowDescription',
  'handleDataRow',
  'handlePortalSuspended',
  'handleCommandComplete',
  'handleEmptyQuery',
  'handleReadyForQuery',
  'handleError',
];

/** Detaches a stopped query from the protocol, because later messages would make a cursor continue. */
function mute(query: SubmittedQuery): void {
  for (const name of HANDLERS) (query as unknown as Record<string, unknown>)[name] = () => undefined;
}

function rowsOf(query: SubmittedQuery, counted: number | undefined): number | undefined {
  if (query instanceof pg.Query) return returnedRows((query as { readonly _results?: unknown })._results);
  return counted ?? (query.cursor !== undefined || typeof query.handleDataRow === 'function' ? 0 : undefined);
}
