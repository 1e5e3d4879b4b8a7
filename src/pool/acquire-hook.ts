import type { AsyncResource } from 'node:async_hooks';
import type { PooledConnection } from '../connection/pooled-connection.js';
import { Deadline, onAbort } from '../deadline.js';
import type { Slot } from '../engine/slot.js';
import type { OnAcquire } from '../hooks.js';
import type { PoolObserver } from '../observer.js';

/** One acquire whose hook is about to run. */
export interface HookedAcquire {
  /** The async context of the code that acquires. */
  readonly context: AsyncResource;
  /** Its remaining time in milliseconds; `undefined` for no limit. */
  readonly leftMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Makes the error of an acquire that runs out of time. */
  timeoutError(): Error;
}

/** How the hook of an acquire ended: with success, with an error, or not in time. */
export type HookOutcome =
  | { readonly ended: 'well' }
  | { readonly ended: 'failed' | 'timed_out' | 'aborted' | 'lost'; readonly error: unknown };

/** Runs `onAcquire` on connections that are about to be handed over. */
export class AcquireHook {
  readonly #hook: OnAcquire;
  readonly #observer: PoolObserver;
  readonly #running = new Map<Slot<PooledConnection>, (error: unknown) => void>();

  constructor(hook: OnAcquire, observer: PoolObserver) {
    this.#hook = hook;
    this.#observer = observer;
  }

  /** Runs the hook; `done` is called once. */
  run(slot: Slot<PooledConnection>, acquire: HookedAcquire, done: (outcome: HookOutcome) => void): void {
    const { client } = slot.resource;
    const { context, leftMs, signal } = acquire;
    const startedAt = performance.now();
    const controller = new AbortController();
    const end = (outcome: HookOutcome): void => {
      if (!this.#running.delete(slot)) return;
      deadline?.clear();
      unfollow?.();
      const error = outcome.ended === 'well' ? undefined : outcome.error;
      if (error !== undefined) controller.abort(error);
      this.#observer.sessionHook('acquire', performance.now() - startedAt, error);
      done(outcome);
    };
    this.#running.set(slot, (error) => end({ ended: 'lost', error }));
    const late = (): void => end({ ended: 'timed_out', error: acquire.timeoutError() });
    const deadline = leftMs === undefined ? undefined : new Deadline(Math.max(1, leftMs), late, true);
    const unfollow = signal && onAbort(signal, () => end({ ended: 'aborted', error: signal.reason }));
    // The client does not belong to a user yet, so `release` does nothing.
    client.release = () => undefined;
    const hook = async (): Promise<void> => this.#hook(client, { signal: controller.signal });
    context.runInAsyncScope(hook).then(
      () => {
        const { dismissal } = slot.resource;
        // The server ended the session, but the socket is not closed yet.
        if (dismissal !== undefined) slot.resource.lose(dismissal, 'server_closed');
        end(outcomeOf(slot.resource));
      },
      (error: unknown) => end({ ended: 'failed', error: errorOf(error) }),
    );
  }

  /** Call when a connection was lost; returns whether its hook was running. */
  lost(slot: Slot<PooledConnection>): boolean {
    const tell = this.#running.get(slot);
    tell?.(slot.resource.lostWith);
    return tell !== undefined;
  }
}

/** A hook that succeeded may have swallowed the loss of its client. */
function outcomeOf({ client, lostWith }: PooledConnection): HookOutcome {
  if (lostWith !== undefined) return { ended: 'failed', error: lostWith };
  return client._ending
    ? { ended: 'failed', error: new Error('onAcquire ended its client') }
    : { ended: 'well' };
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('onAcquire failed', { cause: thrown });
}
