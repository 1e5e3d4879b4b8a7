import { AsyncLocalStorage } from 'node:async_hooks';
import { Deadline } from '../deadline.js';
import type { ResetSession } from '../hooks.js';
import type { PoolObserver } from '../observer.js';
import { sharedByAll } from '../process-state.js';
import { queryQuietly, type DriverClient } from './driver.js';
import type { PooledConnection } from './pooled-connection.js';

/** Runs a reset outside of the context of the code that released the client, which no longer has to do with it. */
const detached = sharedByAll('detached', () => AsyncLocalStorage.snapshot());

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
