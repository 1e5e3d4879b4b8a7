import type { ConnectionEngine } from '../connection/connection-kind.js';
import type { ClosingSockets } from '../connection/closing-sockets.js';
import { Deadline } from '../deadline.js';
import { PoolEndedError } from '../errors.js';
import type { PoolObserver } from '../observer.js';

/** How long `end()` waits for a closing socket, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Ends a pool, once. */
export class Shutdown {
  readonly #engine: ConnectionEngine;
  readonly #closing: ClosingSockets;
  readonly #observer: PoolObserver;
  readonly #timeoutMs: number;
  #promise: Promise<void> | undefined;
  #onFreed: (() => void) | undefined;

  /** `timeoutMs` limits the wait for held connections; 0 means no limit. */
  constructor(engine: ConnectionEngine, closing: ClosingSockets, observer: PoolObserver, timeoutMs: number) {
    this.#engine = engine;
    this.#closing = closing;
    this.#observer = observer;
    this.#timeoutMs = timeoutMs;
  }

  /** Ends the pool, between `begin` and `finish`; a second call joins the first. */
  run(begin: () => void, finish: () => void): Promise<void> {
    if (this.#promise !== undefined) return this.#promise;
    // Set before anything is called: a waiter's callback may end the pool in its turn.
    let settle: (end: Promise<void>) => void = () => undefined;
    this.#promise = new Promise((resolve) => (settle = resolve));
    settle(this.#run(begin, finish));
    return this.#promise;
  }

  /** A slot of the engine became free. */
  freed(): void {
    this.#onFreed?.();
  }

  async #run(begin: () => void, finish: () => void): Promise<void> {
    begin();
    this.#engine.end(() => new PoolEndedError());
    await this.#allReturned();
    await this.#closing.allClosed(CLOSE_TIMEOUT_MS);
    finish();
    this.#observer.ended();
  }

  #allReturned(): Promise<void> {
    return new Promise((resolve) => {
      const deadline =
        this.#timeoutMs > 0 ? new Deadline(this.#timeoutMs, () => this.#takeBack()) : undefined;
      this.#onFreed = (): void => {
        if (this.#engine.state.total > 0) return;
        deadline?.clear();
        resolve();
      };
      this.#onFreed();
    });
  }

  /** Destroys the connections that are still held. */
  #takeBack(): void {
    const now = performance.now();
    const holders = [...this.#engine.state.holders];
    this.#observer.endForced(holders.map((slot) => now - slot.heldSince));
    for (const slot of holders) slot.resource.lose(new PoolEndedError(), 'pool_end');
  }
}
