import { AsyncResource } from 'node:async_hooks';
import type { Submittable } from 'pg';
import { withCallersStack } from '../connection/callers-stack.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import type { Acquires } from './acquire.js';
import { ownCallback, runQuery, type QueryCallback } from './run-query.js';
import { isSubmittable, PendingQuery } from './submit-query.js';

/** Runs `pool.query` in all its forms, each query on a connection that it acquires. */
export class Queries {
  readonly #acquires: Acquires;
  readonly #entry: (...args: never[]) => unknown;

  /** `entry` is the public method whose caller acquires. */
  constructor(acquires: Acquires, entry: (...args: never[]) => unknown) {
    this.#acquires = acquires;
    this.#entry = entry;
  }

  /** Takes the arguments of `pool.query` and returns what it returns. */
  start(text: unknown, values: unknown, third: unknown): unknown {
    const last = typeof values === 'function' ? values : third;
    if (typeof last === 'function') {
      // The answer comes from the socket, whose context is nobody's.
      const callback = AsyncResource.bind(last as QueryCallback);
      const given = last === values ? undefined : values;
      if (isSubmittable(text)) this.#submit(text, given, callback);
      else this.#run(text, given, callback);
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
      this.#run(text, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    }).catch(withCallersStack);
    // Its own callback is told: nobody has to await the promise, too.
    if (ownCallback(text) !== undefined) promise.catch(() => undefined);
    return promise;
  }

  /** Runs a stream or cursor, unless it was withdrawn while it waited; `callback` is told of its end. */
  #submit(query: Submittable, values: unknown, callback: QueryCallback | undefined): void {
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
      } else if (callback === undefined) pending.send(connection);
      else runQuery(connection, query, values, callback);
    };
    this.#acquires.callback(this.#entry, serve, fail, false);
  }

  #run(text: unknown, values: unknown, callback: QueryCallback): void {
    this.#acquires.callback(
      this.#entry,
      (connection) => runQuery(connection, text, values, callback),
      callback,
      false,
    );
  }
}
