import type { PoolClient } from 'pg';
import type { InstrumentedPool } from '../../src/index.js';

/** A defect of the application: connections that are acquired and not given back. */
export class Leak {
  readonly #pool: InstrumentedPool;
  readonly #held: PoolClient[] = [];
  /** Cumulative: connections acquired. */
  acquires = 0;

  constructor(pool: InstrumentedPool) {
    this.#pool = pool;
  }

  /** Connections held now. */
  get count(): number {
    return this.#held.length;
  }

  /** Acquires or releases until `count` connections are held; rejects when the pool gives none. */
  async set(count: number): Promise<void> {
    while (this.#held.length > count) this.#held.pop()?.release();
    while (this.#held.length < count) {
      this.#held.push(await this.#pool.connect());
      this.acquires += 1;
    }
  }
}
