import type { PgaugeErrorCode } from '../errors.js';
import { property } from '../foreign-error.js';
import { ERROR_TYPE } from './names.js';

/** Distinct values of `error.type` that one pool reports before it falls back to `_OTHER`. */
export const MAX_ERROR_TYPES = 64;

// Errors are recognized by their code, not their class, which may be that of another copy of this package.
const SQLSTATE_OR_CODE = /^(?:[0-9A-Z]{5}|[A-Z][A-Z0-9_]{2,63})$/;
const CLASS_NAME = /^[A-Za-z_$][\w$]{0,63}$/;
const MAX_CAUSES = 8;

/** Classifies an error without its text: the SQLSTATE, the code, a timeout of the pool, the class name or `_OTHER`. */
export function errorType(error: unknown): string {
  return classify(error, MAX_CAUSES);
}

/** Whether an operation failed because its pool ended. */
export function isPoolEnded(error: unknown): boolean {
  return property(error, 'code') === ('ERR_PGAUGE_POOL_ENDED' satisfies PgaugeErrorCode);
}

/** The error types of one pool, limited in number because each one is a series of its own. */
export class ErrorTypes {
  readonly #seen = new Set<string>();

  /** `errorType(error)`, or `_OTHER` for a new type once {@link MAX_ERROR_TYPES} have been reported. */
  of(error: unknown): string {
    const type = errorType(error);
    if (this.#seen.has(type)) return type;
    if (this.#seen.size >= MAX_ERROR_TYPES) return ERROR_TYPE.other;
    this.#seen.add(type);
    return type;
  }
}

function classify(error: unknown, causesLeft: number): string {
  const code = property(error, 'code');
  if (code === ('ERR_PGAUGE_ACQUIRE_TIMEOUT' satisfies PgaugeErrorCode)) return ERROR_TYPE.acquireTimeout;
  if (code === ('ERR_PGAUGE_CONNECT_TIMEOUT' satisfies PgaugeErrorCode)) return ERROR_TYPE.connectTimeout;
  if (code === ('ERR_PGAUGE_QUERY_TIMEOUT' satisfies PgaugeErrorCode)) return ERROR_TYPE.queryTimeout;
  if (code === ('ERR_PGAUGE_AUTH' satisfies PgaugeErrorCode) && causesLeft > 0) {
    const cause = property(error, 'cause');
    if (cause !== undefined) return classify(cause, causesLeft - 1);
  }
  if (typeof code === 'string' && SQLSTATE_OR_CODE.test(code)) return code;
  return className(error) ?? ERROR_TYPE.other;
}

function className(error: unknown): string | undefined {
  const name = property(error, 'name');
  const constructor = property(error, 'constructor');
  if (typeof constructor !== 'function' || constructor === Object) return undefined;
  // All errors of the platform are DOMExceptions; only `name` distinguishes an abort from a timeout.
  const own = constructor === DOMException ? name : functionName(constructor);
  return typeof own === 'string' && CLASS_NAME.test(own) ? own : undefined;
}

function functionName(constructor: object): unknown {
  try {
    return (constructor as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
