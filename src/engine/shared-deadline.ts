import type { EngineDeadline, StartDeadline } from './deadline.js';

/** A timer may fire early by less than this, in milliseconds. */
const EARLY_MS = 1;

/** A member of a queue in which most have the same time limit. */
export interface Timed<W> {
  readonly next: W | undefined;
  readonly startedAt: number;
  /** Whether it has the common limit. */
  readonly sharesDeadline: boolean;
}

/** The single timer for all members of a queue with the same time limit, which are due in the order of the queue. */
export class SharedDeadline<W extends Timed<W>> {
  readonly #limitMs: number;
  readonly #startDeadline: StartDeadline;
  readonly #late: (waiter: W) => void;
  /** The oldest member, which is due first. */
  #first: W | undefined;
  /** Runs on while the queue is empty, without keeping the process alive, because the next waiter will need it. */
  #deadline: EngineDeadline | undefined;

  /** `late` must take its waiter out of the queue. */
  constructor(limitMs: number, startDeadline: StartDeadline, late: (waiter: W) => void) {
    this.#limitMs = limitMs;
    this.#startDeadline = startDeadline;
    this.#late = late;
  }

  /** Call when a waiter with the shared limit has joined the end of the queue. */
  joined(waiter: W): void {
    if (this.#first !== undefined) return;
    this.#first = waiter;
    this.#deadline?.keepAlive(true);
    this.#start();
  }

  /** Call when a waiter with the shared limit is about to leave the queue. */
  leaving(waiter: W): void {
    if (this.#first !== waiter) return;
    let { next } = waiter;
    while (next?.sharesDeadline === false) next = next.next;
    this.#first = next;
    if (next === undefined) this.#deadline?.keepAlive(false);
  }

  /** Ends the timer, unless a waiter with the shared limit is left. */
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
    // No effect if a waiter that joined meanwhile has started it.
    this.#start();
  };
}
