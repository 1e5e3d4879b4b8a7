import type { PoolClient } from 'pg';
import type { InstrumentedPool } from '../../src/index.js';

/** A bug of the application: connections that are acquired but not released. */
export class Leak {
  readonly #pool: InstrumentedPool;
  readonly #held: PoolClient[] = [];
  /** Cumulative: connections acquired. */
  acquires = 0;

  constructor(pool: InstrumentedPool) {
    this.#pool = pool;
  }

  /** The number of connections held now. */
  get count(): number {
    return this.#held.length;
  }

  /** Acquires or releases connections until `count` are held; rejects if an acquire fails. */
  async set(count: number): Promise<void> {
    while (this.#held.length > count) this.#held.pop()?.release();
    while (this.#held.length < count) {
      this.#held.push(await this.#pool.connect());
      this.acquires += 1;
    }
  }
}
