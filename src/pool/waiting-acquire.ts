import { AsyncResource } from 'node:async_hooks';
import type { PoolClient } from 'pg';
import type { ConnectionEngine } from '../connection/connection-kind.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import type { Slot } from '../engine/slot.js';
import type { AcquireWait, ShareRequest, WaitReason } from '../engine/wait-queue.js';
import type { AcquireObserver } from '../observer.js';
import { throwLater } from '../throw-later.js';
import type { AcquireHook } from './acquire-hook.js';
import { acquireTimeoutError } from './acquire-timeout.js';
import type { Checkouts } from './checkout.js';
import type { Acquirer } from './leaks.js';

export type Serve = (connection: PooledConnection) => void;
export type Fail = (error: Error) => void;

/** The parts that all waiting acquires of a pool share. */
export interface AcquireParts {
  readonly engine: ConnectionEngine;
  readonly checkouts: Checkouts;
  readonly hook: AcquireHook | undefined;
  /** Why connecting failed last, `undefined` after a success: the cause of an acquire that times out. */
  lastConnectError: unknown;
}

/** The terms of one acquire. */
export interface AcquireTerms {
  readonly startedAt: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly acquirer: Acquirer | undefined;
  /** Set if the acquire accepts a connection that others also hold. */
  readonly shares?: ShareRequest | undefined;
}

/** An acquire in the engine's queue, until its caller is answered. */
abstract class WaitingAcquire implements AcquireWait<PooledConnection, AcquireObserver> {
  constructor(
    private readonly parts: AcquireParts,
    readonly cause: AcquireObserver,
    private readonly terms: AcquireTerms,
    /** The caller's async context; unset if nothing must run in it. */
    protected readonly context: AsyncResource | undefined,
  ) {}

  get shares(): ShareRequest | undefined {
    return this.terms.shares;
  }

  protected abstract serve(connection: PooledConnection): void;
  protected abstract fail(error: Error): void;

  waiting(reason: WaitReason): void {
    this.cause.waiting(reason);
  }

  served(slot: Slot<PooledConnection>, waitMs: number): void {
    const { hook } = this.parts;
    if (hook === undefined || this.context === undefined) this.#handOver(slot, waitMs);
    else this.#prepare(hook, this.context, slot, waitMs);
  }

  rejected(error: unknown, waitMs: number): void {
    this.cause.failed(waitMs, error);
    this.fail(error as Error);
  }

  timeoutError(): Error {
    const { engine, lastConnectError } = this.parts;
    return acquireTimeoutError(engine.state, performance.now() - this.terms.startedAt, lastConnectError);
  }

  #handOver(slot: Slot<PooledConnection>, waitMs: number): void {
    this.cause.acquired(waitMs);
    const { resource } = slot;
    // A shared connection was already handed over to its first holder.
    this.serve(resource.sharing ? resource : this.parts.checkouts.handOver(slot, this.terms.acquirer));
  }

  /** Runs the hook between the engine's hand-over and the user's. */
  #prepare(hook: AcquireHook, context: AsyncResource, slot: Slot<PooledConnection>, servedMs: number): void {
    const { engine } = this.parts;
    const { startedAt, timeoutMs, signal } = this.terms;
    const leftMs = timeoutMs > 0 ? timeoutMs - servedMs : undefined;
    const timeoutError = (): Error => this.timeoutError();
    hook.run(slot, { context, leftMs, signal, timeoutError }, (outcome) => {
      const now = performance.now();
      if (outcome.ended === 'well') {
        this.#handOver(slot, now - startedAt);
        return;
      }
      if (outcome.ended === 'timed_out' || outcome.ended === 'aborted') {
        engine.countCanceled(outcome.ended === 'timed_out');
      }
      engine.release(slot, now, slot.resource.condemn('hook'));
      this.rejected(outcome.error, now - startedAt);
    });
  }
}

/** An acquire whose caller has a promise, which keeps the caller's async context itself. */
export class PromisedAcquire extends WaitingAcquire {
  constructor(
    parts: AcquireParts,
    cause: AcquireObserver,
    terms: AcquireTerms,
    private readonly resolve: (client: PoolClient) => void,
    private readonly reject: Fail,
  ) {
    super(parts, cause, terms, parts.hook && newContext());
  }

  protected serve({ client }: PooledConnection): void {
    this.resolve(client);
  }

  protected fail(error: Error): void {
    this.reject(error);
  }
}

/** An acquire with callbacks, which are called when another user releases a client, in that user's async context. */
export class CalledAcquire extends WaitingAcquire {
  constructor(
    parts: AcquireParts,
    cause: AcquireObserver,
    terms: AcquireTerms,
    private readonly onServe: Serve,
    private readonly onFail: Fail,
  ) {
    super(parts, cause, terms, newContext());
  }

  protected serve(connection: PooledConnection): void {
    this.#call(this.onServe, connection);
  }

  protected fail(error: Error): void {
    this.#call(this.onFail, error);
  }

  /** Calls back in the caller's context, and keeps errors of the callback out of the engine. */
  #call<A>(callback: (argument: A) => void, argument: A): void {
    try {
      this.context?.runInAsyncScope(callback, undefined, argument);
    } catch (thrown) {
      throwLater(thrown);
    }
  }
}

function newContext(): AsyncResource {
  return new AsyncResource('pgauge.acquire');
}
