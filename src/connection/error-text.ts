import { ConnectTimeoutError } from '../errors.js';
import { errorText, property } from '../foreign-error.js';
import type { ConnectPhase } from '../observer.js';

/** The maximum length of a thrown text, in characters. */
const MAX_SHOWN = 200;

const THROWER: Readonly<Partial<Record<ConnectPhase, string>>> = {
  hook: 'beforeConnect',
  token: 'the source of the token',
  init: 'afterConnect',
};

/** The error of an attempt whose deadline passed at `phase`, while it waited for the token of `provider` if given. */
export function connectTimeout(limitMs: number, phase: ConnectPhase, provider?: string): ConnectTimeoutError {
  const prefix = provider === undefined ? '' : `dynamic auth (${provider}): `;
  return new ConnectTimeoutError(
    `${prefix}Connection terminated due to connection timeout after ${limitMs} ms (${phase})`,
  );
}

/**
 * Ensures that the value thrown at `phase` of a connection attempt has a text: an error keeps its own, or gets one from
 * its properties, and stays the same object; any other value that a hook threw becomes the cause of an error.
 */
export function withText(thrown: unknown, phase: ConnectPhase): unknown {
  const message = property(thrown, 'message');
  if (typeof message === 'string' && message.trim() !== '') return thrown;
  if (!(thrown instanceof Error)) {
    return new Error(`a hook threw ${shown(thrown)} instead of an Error (${by(phase)})`, { cause: thrown });
  }
  const text = errorText(thrown) || `an error without a message (${by(phase)})`;
  try {
    const { stack } = thrown;
    Object.defineProperty(thrown, 'message', {
      value: text,
      writable: true,
      enumerable: false,
      configurable: true,
    });
    if (typeof stack === 'string') thrown.stack = withHead(stack, text);
  } catch {
    // A frozen error stays unchanged.
  }
  return thrown;
}

function by(phase: ConnectPhase): string {
  return THROWER[phase] ?? phase;
}

function shown(thrown: unknown): string {
  if (typeof thrown === 'string' && thrown.trim() !== '') return JSON.stringify(thrown.slice(0, MAX_SHOWN));
  if (typeof thrown === 'object' && thrown !== null) return 'an object';
  if (typeof thrown === 'function') return 'a function';
  return thrown === '' ? 'an empty text' : String(thrown);
}

/** Adds the text to a stack that was formatted without it, when the error was made. */
function withHead(stack: string, text: string): string {
  const end = stack.search(/\n\s+at /);
  const head = (end === -1 ? stack : stack.slice(0, end)).trimEnd().replace(/:$/, '');
  return `${head}: ${text}${end === -1 ? '' : stack.slice(end)}`;
}
