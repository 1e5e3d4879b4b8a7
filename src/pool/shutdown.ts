import type { ConnectionEngine } from '../connection/connection-kind.js';
import type { ClosingSockets } from '../connection/closing-sockets.js';
import { Deadline } from '../deadline.js';
import { PoolEndedError } from '../errors.js';
import type { PoolObserver } from '../observer.js';
import type { Checkouts } from './checkout.js';

/** How long `end()` waits for the server to close a socket, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;
/** When `end()` first reports the clients it waits for, and how often after that, in milliseconds. */
const FIRST_REPORT_MS = 5_000;
const REPORT_EVERY_MS = 60_000;

/** How a pool ends. */
export interface EndOptions {
  /**
   * What happens to acquires that are waiting when the pool ends: `serve` serves them within their own deadlines,
   * `reject` rejects them with `PoolEndedError`. Default `serve`.
   */
  readonly waiting?: 'serve' | 'reject' | undefined;
}

/** Ends a pool, once. */
export class Shutdown {
  readonly #engine: ConnectionEngine;
  readonly #checkouts: Checkouts;
  readonly #closing: ClosingSockets;
  readonly #observer: PoolObserver;
  readonly #timeoutMs: number;
  #promise: Promise<void> | undefined;
  #onProgress: (() => void) | undefined;

  /** `timeoutMs` limits the wait for held connections and waiting acquires; 0 means no limit. */
  constructor(
    engine: ConnectionEngine,
    checkouts: Checkouts,
    closing: ClosingSockets,
    observer: PoolObserver,
    timeoutMs: number,
  ) {
    this.#engine = engine;
    this.#checkouts = checkouts;
    this.#closing = closing;
    this.#observer = observer;
    this.#timeoutMs = timeoutMs;
  }

  /** Ends the pool, between `begin` and `finish`; a second call joins the first, and may reject those that still wait. */
  run(waiting: 'serve' | 'reject', begin: () => void, finish: () => void): Promise<void> {
    const first = this.#promise === undefined;
    // Set before anything is called, because a waiter's callback may also end the pool.
    let settle: (end: Promise<void>) => void = () => undefined;
    const promise = (this.#promise ??= new Promise((resolve) => (settle = resolve)));
    if (first) begin();
    if (waiting === 'reject') this.#engine.rejectWaiters(() => new PoolEndedError());
    if (first) settle(this.#run(finish));
    return promise;
  }

  /** Call when a slot of the engine became free, or the last waiting acquire left the queue. */
  progressed(): void {
    this.#onProgress?.();
  }

  async #run(finish: () => void): Promise<void> {
    this.#closing.leaveToServer();
    this.#engine.end();
    await this.#allReturned();
    await this.#closing.allClosed(CLOSE_TIMEOUT_MS);
    finish();
    this.#observer.ended();
  }

  #allReturned(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = this.#timeoutMs > 0 ? new Deadline(this.#timeoutMs, () => this.#force()) : undefined;
      const report = (): void => {
        this.#observer.endWaiting(this.#checkouts.held(), this.#engine.state.pending);
        reports = new Deadline(REPORT_EVERY_MS, report);
      };
      let reports = new Deadline(FIRST_REPORT_MS, report);
      this.#onProgress = (): void => {
        const { total, pending } = this.#engine.state;
        if (total > 0 || pending > 0) return;
        deadline?.clear();
        reports.clear();
        resolve();
      };
      this.#onProgress();
    });
  }

  /** Rejects those that still wait and destroys the connections that are still held, or being reset. */
  #force(): void {
    this.#observer.endForced(this.#checkouts.held().map(({ heldMs }) => heldMs));
    this.#engine.rejectWaiters(() => new PoolEndedError());
    for (const slot of [...this.#engine.state.holders]) {
      slot.resource.lose(new PoolEndedError(), 'pool_end');
    }
    for (const slot of [...this.#engine.state.returned]) this.#engine.discard(slot, 'pool_end');
  }
}
