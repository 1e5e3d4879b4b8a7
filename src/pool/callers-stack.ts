/**
 * Adds the caller's frames to the stack of an error that was made on a timer or a socket, and throws it.
 * Used as a rejection handler, where the engine's stack ends at whoever awaits.
 */
export function withCallersStack(error: unknown): never {
  if (error instanceof Error) addFrames(error);
  throw error;
}

function addFrames(error: Error): void {
  const trace = { stack: '' };
  Error.captureStackTrace(trace, withCallersStack);
  const frames = trace.stack.slice(trace.stack.indexOf('\n'));
  if (!frames.startsWith('\n') || error.stack?.includes(frames) !== false) return;
  try {
    error.stack += frames;
  } catch {
    // A frozen error keeps the stack it has.
  }
}
