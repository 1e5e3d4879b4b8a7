import { withCallersStack } from '../connection/callers-stack.js';

export type QueryCallback = (error: Error | null | undefined, result?: unknown) => void;

/** The callback of a query in any of the forms that the driver accepts. */
export function callbackOf([config, values, third]: readonly unknown[]): unknown {
  const last = typeof values === 'function' ? values : third;
  return last ?? (config as { readonly callback?: unknown }).callback;
}

/** The values of a query, wherever its caller passed them. */
export function valuesOf([config, values]: readonly unknown[]): unknown {
  if (values != null && typeof values !== 'function') return values;
  return typeof config === 'object' ? (config as { readonly values?: unknown }).values : undefined;
}

/** Answers a query in the form in which it was called: `start` gets the callback. */
export function answer(callback: unknown, start: (callback: QueryCallback) => void): unknown {
  if (typeof callback === 'function') {
    start(callback as QueryCallback);
    return undefined;
  }
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  }).catch(withCallersStack);
}

/** Answers a query that is refused before anything is sent. */
export function refuse(callback: unknown, error: Error): unknown {
  if (typeof callback !== 'function') return Promise.reject(error);
  process.nextTick(callback, error);
  return undefined;
}

/** Copies a query's config, because its caller may use it again, or may have frozen it. */
export function copyOf(config: object): object {
  const prototype = Object.getPrototypeOf(config) as object | null;
  return Object.assign(Object.create(prototype) as object, config);
}
