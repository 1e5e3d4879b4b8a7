import { Deadline } from '../deadline.js';
import type { ResetSession } from '../hooks.js';
import type { PoolObserver } from '../observer.js';
import { detached } from './detached.js';
import { queryQuietly, type DriverClient } from './driver.js';
import type { PooledConnection } from './pooled-connection.js';

/** How long a reset may take when acquires may take for ever, in milliseconds: nobody waits for it by a limit of their own. */
const LONGEST_RESET_MS = 30_000;

/** Resets a released session; `done` is called once, within a limited time. */
export type SessionReset = (connection: PooledConnection, done: (failed?: 'hook') => void) => void;

/** What `resetSession` asks for. */
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
    // Nobody holds it, so nobody may return it.
    client.release = () => undefined;
    // The code that released the client has nothing to do with it any more.
    void detached(() => reset(client)).then(
      () => end(),
      (error: unknown) => end(error ?? new Error('resetSession failed')),
    );
  };
}

async function discardAll(client: DriverClient): Promise<void> {
  await queryQuietly(client, 'DISCARD ALL');
  // The server has deallocated them.
  client.connection.parsedStatements = {};
}
