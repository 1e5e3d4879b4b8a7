import type { EngineDeadline, StartDeadline } from './deadline.js';

/** A timer may fire earlier than asked for, by less than this, in milliseconds. */
const EARLY_MS = 1;

/** One of a queue in which most have the same time limit. */
export interface Timed<W> {
  readonly next: W | undefined;
  readonly startedAt: number;
  /** Whether it has that limit. */
  readonly sharesDeadline: boolean;
}

/** The one timer of all in a queue that have the same time limit: they are due in the order of the queue. */
export class SharedDeadline<W extends Timed<W>> {
  readonly #limitMs: number;
  readonly #startDeadline: StartDeadline;
  readonly #late: (waiter: W) => void;
  /** The oldest, which is due first. */
  #first: W | undefined;
  /** Runs on while the queue is empty, without keeping the process alive: the next that waits will need it. */
  #deadline: EngineDeadline | undefined;

  /** `late` takes its waiter out of the queue. */
  constructor(limitMs: number, startDeadline: StartDeadline, late: (waiter: W) => void) {
    this.#limitMs = limitMs;
    this.#startDeadline = startDeadline;
    this.#late = late;
  }

  /** One with the shared limit has come to the end of the queue. */
  joined(waiter: W): void {
    if (this.#first !== undefined) return;
    this.#first = waiter;
    this.#deadline?.keepAlive(true);
    this.#start();
  }

  /** One with the shared limit is about to leave the queue. */
  leaving(waiter: W): void {
    if (this.#first !== waiter) return;
    let { next } = waiter;
    while (next?.sharesDeadline === false) next = next.next;
    this.#first = next;
    if (next === undefined) this.#deadline?.keepAlive(false);
  }

  /** Ends the timer, unless one with the shared limit waits. */
  stop(): void {
    if (this.#first !== undefined) return;
    this.#deadline?.clear();
    this.#deadline = undefined;
  }

  #start(): void {
    if (this.#first === undefined || this.#deadline !== undefined) return;
    const limitMs = this.#limitMs;
    const leftMs = Math.max(0, this.#first.startedAt + limitMs - performance.now());
    this.#deadline = this.#startDeadline(leftMs, this.#expired, { keepsAlive: true, limitMs });
  }

  readonly #expired = (upTo: number): void => {
    this.#deadline = undefined;
    while (this.#first !== undefined && this.#first.startedAt + this.#limitMs - upTo < EARLY_MS) {
      this.#late(this.#first);
    }
    // Unless one that joined meanwhile has started it.
    this.#start();
  };
}
