import type { ConnectionEngine } from '../connection/connection-kind.js';
import { keepListening } from '../connection/loss.js';
import type { PooledConnection } from '../connection/pooled-connection.js';
import type { Slot } from '../engine/slot.js';
import type { Holder, PoolObserver } from '../observer.js';
import { LeakDetector, type Acquirer } from './leaks.js';

type Notify = (event: string, ...args: unknown[]) => void;

/** Hands connections to users and takes them back. */
export class Checkouts {
  readonly #engine: ConnectionEngine;
  readonly #observer: PoolObserver;
  readonly #notify: Notify;
  readonly #leaks: LeakDetector | undefined;

  /** `notify` emits an event of the pool; `leakDetectionMs` 0 means off. */
  constructor(engine: ConnectionEngine, observer: PoolObserver, notify: Notify, leakDetectionMs: number) {
    this.#engine = engine;
    this.#observer = observer;
    this.#notify = notify;
    this.#leaks = leakDetectionMs > 0 ? new LeakDetector(leakDetectionMs, observer) : undefined;
  }

  /** The caller of the public method `entry`, if leaks are detected. */
  acquirer(entry: (...args: never[]) => unknown): Acquirer | undefined {
    return this.#leaks?.acquirer(entry);
  }

  /** Hands a held slot to its user: `client.release` belongs to this checkout from now on. */
  handOver(slot: Slot<PooledConnection>, acquirer: Acquirer | undefined): PooledConnection {
    const connection = slot.resource;
    const { client } = connection;
    let released = false;
    client.release = (error?: unknown): void => {
      if (released) throw new Error('Release called on client which has already been released to the pool.');
      released = true;
      this.#release(slot, error);
    };
    if (acquirer !== undefined) this.#leaks?.checkedOut(slot, acquirer);
    this.#notify('acquire', client);
    return connection;
  }

  /** The current checkouts, the longest first. */
  held(): Holder[] {
    const now = performance.now();
    return [...this.#engine.state.holders].map((slot) => ({
      heldMs: now - slot.heldSince,
      stack: this.#leaks?.stackOf(slot),
    }));
  }

  /** Records the end of a use: the client was released, or its connection was lost. */
  useEnded(slot: Slot<PooledConnection>, now: number): void {
    const heldMs = now - slot.heldSince;
    this.#leaks?.returned(slot, heldMs);
    this.#observer.released(heldMs);
  }

  #release(slot: Slot<PooledConnection>, error: unknown): void {
    const connection = slot.resource;
    this.#notify('release', error, connection.client);
    // The connection was lost meanwhile, and its use ended then.
    if (slot.state !== 'held') return;
    const { dismissal } = connection;
    // A query's error has shown the user that the server ended the session, before the socket has closed.
    if (error && dismissal !== undefined) {
      connection.lose(dismissal, 'server_closed');
      return;
    }
    // Before the release, because the engine may hand the connection to the next user at once.
    keepListening(connection.client);
    const now = performance.now();
    this.useEnded(slot, now);
    this.#engine.release(slot, now, error ? connection.condemn('released_with_error') : undefined);
  }
}
