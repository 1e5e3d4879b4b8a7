import { ERROR_TYPE } from './names.js';

/** Distinct values of `error.type` that one pool reports before it falls back to `_OTHER`. */
export const MAX_ERROR_TYPES = 64;

const SQLSTATE = /^[0-9A-Z]{5}$/;
const CODE = /^[A-Z][A-Z0-9_]{2,63}$/;
const CLASS_NAME = /^[A-Za-z_$][\w$]{0,63}$/;
const MAX_CAUSES = 8;

/** Names the kind of an error, never its text: SQLSTATE, code, own timeout, class name or `_OTHER`. */
export function errorType(error: unknown): string {
  return classify(error, MAX_CAUSES);
}

/** The SQLSTATE of an error that the server sent, else `undefined`. */
export function sqlState(error: unknown): string | undefined {
  const code = property(error, 'code');
  // EPIPE has five letters too; only what the server sends has a severity.
  const fromServer = typeof property(error, 'severity') === 'string';
  return fromServer && typeof code === 'string' && SQLSTATE.test(code) ? code : undefined;
}

/** True if the end of a pool is why it failed. */
export function isPoolEnded(error: unknown): boolean {
  return property(error, 'code') === 'ERR_PGAUGE_POOL_ENDED';
}

/** One property of a value that may be anything, a proxy or a throwing getter included. */
export function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** The error types of one pool, bounded so that a metric's series are. */
export class ErrorTypes {
  private readonly seen = new Set<string>();

  /** `errorType(error)`, or `_OTHER` once the pool has reported its share of others. */
  of(error: unknown): string {
    const type = errorType(error);
    if (this.seen.has(type)) return type;
    if (this.seen.size >= MAX_ERROR_TYPES) return ERROR_TYPE.other;
    this.seen.add(type);
    return type;
  }
}

function classify(error: unknown, causesLeft: number): string {
  const code = property(error, 'code');
  if (code === 'ERR_PGAUGE_ACQUIRE_TIMEOUT') return ERROR_TYPE.acquireTimeout;
  if (code === 'ERR_PGAUGE_CONNECT_TIMEOUT') return ERROR_TYPE.connectTimeout;
  if (code === 'ERR_PGAUGE_AUTH' && causesLeft > 0) {
    const cause = property(error, 'cause');
    if (cause !== undefined) return classify(cause, causesLeft - 1);
  }
  if (typeof code === 'string' && (SQLSTATE.test(code) || CODE.test(code))) return code;
  return className(error) ?? ERROR_TYPE.other;
}

function className(error: unknown): string | undefined {
  const name = property(error, 'name');
  const constructor = property(error, 'constructor');
  if (typeof constructor !== 'function' || constructor === Object) return undefined;
  // The platform has one class for all its own errors; only their name tells an abort from a timeout.
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
