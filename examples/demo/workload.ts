import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstrumentedPool } from '../../src/index.js';

/** What the requests of the demo's application came to; all cumulative. */
export interface Tally {
  readonly queries: number;
  /** Failed requests by the error's code. */
  readonly errors: ReadonlyMap<string, number>;
}

const THINK_MS = 10;
// A caller that repeats a failed request at once only adds to the fault.
const BACK_OFF_MS = 50;

/** An application's requests: so many workers, each one request after the other. */
export class Workload {
  readonly #pool: InstrumentedPool;
  readonly #tracer: Tracer;
  readonly #errors = new Map<string, number>();
  readonly #running = new Map<number, Promise<void>>();
  #queries = 0;
  #wanted = 0;
  #succeeded: { after: number; at: number | undefined } = { after: Infinity, at: undefined };

  constructor(pool: InstrumentedPool, tracer: Tracer) {
    this.#pool = pool;
    this.#tracer = tracer;
  }

  /** Changes the number of workers; those that are too many finish their request first. */
  setWorkers(count: number): void {
    this.#wanted = count;
    for (let index = 0; index < count; index += 1) {
      if (this.#running.has(index)) continue;
      this.#running.set(
        index,
        this.#work(index).then(() => void this.#running.delete(index)),
      );
    }
  }

  /** Stops all workers; resolves when none has a request any more. */
  async stop(): Promise<void> {
    this.#wanted = 0;
    await Promise.all(this.#running.values());
  }

  /** A copy of the counts. */
  tally(): Tally {
    return { queries: this.#queries, errors: new Map(this.#errors) };
  }

  /** From now on the first success of a request that started after now is awaited. */
  awaitSuccess(): void {
    this.#succeeded = { after: performance.now(), at: undefined };
  }

  /** Milliseconds from `awaitSuccess()` to that success; undefined while there is none. */
  get successAfterMs(): number | undefined {
    const { after, at } = this.#succeeded;
    return at === undefined ? undefined : at - after;
  }

  async #work(index: number): Promise<void> {
    while (index < this.#wanted) {
      const startedAt = performance.now();
      const failed = await this.#request(index).then(
        () => false,
        (error: unknown) => {
          const code = codeOf(error);
          this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
          return true;
        },
      );
      if (!failed && startedAt > this.#succeeded.after) this.#succeeded.at ??= performance.now();
      await sleep(failed ? BACK_OFF_MS : THINK_MS * 2 * Math.random());
    }
  }

  #request(index: number): Promise<void> {
    return this.#tracer.startActiveSpan('demo request', async (span) => {
      try {
        // Every fourth worker is one that writes.
        await (index % 4 === 0 ? this.#write() : this.#read());
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  async #read(): Promise<void> {
    await this.#pool.query('select count(*), pg_sleep($1) from visits', [0.005 + 0.01 * Math.random()]);
    this.#queries += 1;
  }

  async #write(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      for (const sql of ['begin', 'insert into visits default values', 'select pg_sleep(0.005)', 'commit']) {
        await client.query(sql);
        this.#queries += 1;
      }
    } finally {
      // After an error the pool itself sees whether the connection still serves.
      client.release();
    }
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return code;
  // pg's own errors have none.
  return typeof message === 'string' ? `"${message}"` : 'unknown';
}
