import { Deadline } from '../deadline.js';
import type { ResetSession } from '../hooks.js';
import type { PoolObserver } from '../observer.js';
import { detached } from './detached.js';
import { queryQuietly, type DriverClient } from './driver.js';
import type { PooledConnection } from './pooled-connection.js';

/** How long a reset may take when acquires have no time limit, in milliseconds: no caller's own limit ends it. */
const LONGEST_RESET_MS = 30_000;

/** Resets a released session; `done` is called once, within a limited time. */
export type SessionReset = (connection: PooledConnection, done: (failed?: 'hook') => void) => void;

/** Builds the reset that the option `resetSession` selects. */
export function sessionReset(
  how: ResetSession,
  acquireTimeoutMs: number,
  observer: PoolObserver,
): SessionReset {
  const timeoutMs = acquireTimeoutMs || LONGEST_RESET_MS;
  // Async, so that a function that throws rejects.
  const reset = how === 'discard' ? discardAll : async (client: DriverClient) => how(client);
  return ({ client }, done) => {
    const startedAt = performance.now();
    let ended = false;
    const end = (error?: unknown): void => {
      if (ended) return;
      ended = true;
      deadline.clear();
      observer.sessionHook('reset', performance.now() - startedAt, error);
      done(error === undefined ? undefined : 'hook');
    };
    const late = (): void => end(new Error(`resetSession took more than ${timeoutMs} ms`));
    const deadline = new Deadline(timeoutMs, late);
    // No caller holds the client during a reset, so `release` does nothing.
    client.release = () => undefined;
    // Detached, because the reset does not belong to the code that released the client.
    void detached(() => reset(client)).then(
      () => end(),
      (error: unknown) => end(error ?? new Error('resetSession failed')),
    );
  };
}

async function discardAll(client: DriverClient): Promise<void> {
  await queryQuietly(client, 'DISCARD ALL');
  // The server has deallocated the named statements.
  client.connection.parsedStatements = {};
}
