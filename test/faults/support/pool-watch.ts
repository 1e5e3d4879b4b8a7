import type { InstrumentedPool } from '../../../src/index.js';
import type { CloseReason } from '../../../src/observer.js';
import type { Sockets } from './sockets.js';

/** How many connections were discarded for each reason; `some` means one or more, `any` none or more. */
export type ExpectedCloses = Readonly<Partial<Record<CloseReason, number | 'some' | 'any'>>>;

const SAMPLE_MS = 2;

/** Observes one pool continuously, from outside. */
export class PoolWatch {
  /** The highest number of connections seen. */
  mostTotal = 0;
  /** Moments at which a pool held more sockets than it counted. */
  readonly violations: string[] = [];
  /** The errors with which its promises rejected. */
  readonly errors: unknown[] = [];
  /** Current: returned promises that have not settled. */
  outstanding = 0;
  checked = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    readonly pool: InstrumentedPool,
    readonly name: string,
    readonly max: number,
    readonly sockets: Sockets,
    private readonly all: () => readonly PoolWatch[],
  ) {
    for (const event of ['connect', 'acquire', 'release', 'remove']) pool.on(event, () => this.#sample());
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
    this.#follow('connect');
    this.#follow('query');
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #follow(method: 'connect' | 'query'): void {
    const original = this.pool[method].bind(this.pool) as (...args: unknown[]) => unknown;
    const followed = (...args: unknown[]): unknown => {
      const outcome = original(...args);
      if (!(outcome instanceof Promise)) return outcome;
      this.outstanding += 1;
      outcome.then(
        () => (this.outstanding -= 1),
        (error: unknown) => {
          this.outstanding -= 1;
          this.errors.push(error);
        },
      );
      return outcome;
    };
    Object.defineProperty(this.pool, method, { value: followed });
  }

  #sample(): void {
    const total = this.pool.totalCount;
    this.mostTotal = Math.max(this.mostTotal, total);
    const counted = this.all().reduce((sum, { pool }) => sum + pool.totalCount, 0);
    const { connections } = this.sockets;
    if (connections > counted) this.violations.push(`${connections} sockets, ${counted} counted`);
  }
}
