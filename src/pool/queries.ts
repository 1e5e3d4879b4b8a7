import { AsyncResource } from 'node:async_hooks';
import { withCallersStack } from '../connection/callers-stack.js';
import type { Acquires } from './acquire.js';
import { runQuery, type QueryCallback } from './run-query.js';
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
      this.#run(text, last === values ? undefined : values, callback);
      return undefined;
    }
    if (typeof text === 'function') {
      const error = new Error('Passing a function as the first parameter to pool.query is not supported');
      setImmediate(text as QueryCallback, error);
      return undefined;
    }
    if (isSubmittable(text)) {
      const pending = new PendingQuery(text);
      this.#acquires.callback(
        this.#entry,
        (connection) => pending.run(connection),
        (error) => pending.fail(error),
        false,
      );
      return text;
    }
    return new Promise((resolve, reject) => {
      this.#run(text, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
    }).catch(withCallersStack);
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
