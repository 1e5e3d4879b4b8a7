import { AsyncResource } from 'node:async_hooks';
import { withCallersStack } from '../connection/callers-stack.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { LimitsInForce, limitsOf, reasonOf, withLimitsInForce, type QueryLimits } from '../queries/limits.js';
import { signalOf, type SubmittedQuery } from '../queries/submitted.js';
import type { Acquires } from './acquire.js';
import { ownCallback, runQuery, type QueryCallback } from './run-query.js';
import { isSubmittable, PendingQuery } from './submit-query.js';

/** Runs `pool.query` in all its forms, each query on a connection that it acquires. */
export class Queries {
  protected readonly acquires: Acquires;
  protected readonly entry: (...args: never[]) => unknown;

  /** `entry` is the public method whose caller is the acquirer. */
  constructor(acquires: Acquires, entry: (...args: never[]) => unknown) {
    this.acquires = acquires;
    this.entry = entry;
  }

  /** Queries in flight beyond one for each connection; `undefined` without pipelining. */
  get pipelined(): number | undefined {
    return undefined;
  }

  /** Called with each connection that was destroyed; unset if the driver itself fails the queries on it. */
  readonly lost?: (connection: PooledConnection) => void;

  /** Takes the arguments of `pool.query` and returns what it returns. */
  start(text: unknown, values: unknown, third: unknown): unknown {
    const last = typeof values === 'function' ? values : third;
    if (typeof last === 'function') {
      // The answer comes from the socket, whose async context is not the caller's.
      const callback = AsyncResource.bind(last as QueryCallback);
      const given = last === values ? undefined : values;
      if (isSubmittable(text)) this.#submit(text, given, callback);
      else this.run(text, given, callback);
      return undefined;
    }
    if (typeof text === 'function') {
      const error = new Error('Passing a function as the first parameter to pool.query is not supported');
      setImmediate(text as QueryCallback, error);
      return undefined;
    }
    if (isSubmittable(text)) {
      this.#submit(text, values, undefined);
      return text;
    }
    const promise = new Promise((resolve, reject) => {
      this.run(text, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    }).catch(withCallersStack);
    // The query's own callback gets the error, so the promise need not be awaited as well.
    if (ownCallback(text) !== undefined) promise.catch(() => undefined);
    return promise;
  }

  /** Runs a stream or cursor, unless it was withdrawn while it waited; `callback` is called at its end. */
  #submit(query: SubmittedQuery, options: unknown, callback: QueryCallback | undefined): void {
    const signal = signalOf(query, options);
    const pending = new PendingQuery(query);
    const fail = (error: Error): void => {
      pending.fail(error);
      callback?.(error);
    };
    const serve = (connection: PooledConnection): void => {
      const withdrawn = pending.withdrawn();
      if (withdrawn !== undefined) {
        connection.client.release();
        process.nextTick(fail, withdrawn);
      } else if (callback === undefined) pending.send(connection, options);
      else runQuery(connection, query, options, callback);
    };
    this.acquires.callback(this.entry, serve, fail, { signal });
  }

  /** Runs a query that is a text or a config; `callback` is called once, never before this returns. */
  protected run(text: unknown, values: unknown, callback: QueryCallback): void {
    let limits: QueryLimits | undefined;
    try {
      limits = typeof text === 'object' && text !== null ? limitsOf(text) : undefined;
    } catch (error) {
      process.nextTick(callback, error);
      return;
    }
    if (limits !== undefined) this.#runLimited(text as object, limits, values, callback);
    else {
      const serve = (connection: PooledConnection): void => runQuery(connection, text, values, callback);
      this.acquires.callback(this.entry, serve, callback);
    }
  }

  /** Runs a query with its own limits, which apply from its call. */
  #runLimited(config: object, limits: QueryLimits, values: unknown, callback: QueryCallback): void {
    const { signal } = limits;
    const waiting = new AbortController();
    if (signal?.aborted === true) waiting.abort(reasonOf(signal));
    const inForce = new LimitsInForce(limits, (_reason, error) => waiting.abort(error));
    const settle: QueryCallback = (error, result) => {
      inForce.clear();
      callback(error, result);
    };
    const given = withLimitsInForce(config, inForce);
    const serve = (connection: PooledConnection): void => runQuery(connection, given, values, settle);
    this.acquires.callback(this.entry, serve, settle, { signal: waiting.signal });
  }
}
