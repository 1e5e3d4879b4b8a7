import { AcquireTimeoutError } from '../errors.js';
import { sharedByAll } from '../process-state.js';

/** An error that many callers share, such as a signal's reason, shows only its first callers, to bound its stack. */
const MOST_CALLERS = 3;
const callers = sharedByAll('callers', () => new WeakMap<Error, number>());

/**
 * Adds the caller's frames to the stack of an error that was made on a timer or a socket, and throws it.
 * Used as a rejection handler, where V8's stack trace ends at the function that awaits.
 */
export function withCallersStack(error: unknown): never {
  try {
    if (error instanceof Error) addFrames(error);
  } catch {
    // A frozen error, or one with a custom stack, stays unchanged.
  }
  throw error;
}

function addFrames(error: Error): void {
  const known = callers.get(error) ?? 0;
  if (known === MOST_CALLERS) return;
  callers.set(error, known + 1);
  // It has no frames yet, and the captured ones are formatted only when they are read.
  if (known === 0 && error instanceof AcquireTimeoutError) {
    Error.captureStackTrace(error, withCallersStack);
    return;
  }
  const trace = { stack: '' };
  Error.captureStackTrace(trace, withCallersStack);
  const frames = trace.stack.slice(trace.stack.indexOf('\n'));
  if (!frames.startsWith('\n') || error.stack?.includes(frames) !== false) return;
  error.stack += frames;
}
