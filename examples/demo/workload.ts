import { SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstrumentedPool } from '../../src/index.js';

/** The counts of an application's requests; all cumulative. */
export interface Tally {
  readonly queries: number;
  /** Acquired connections, including those that `pool.query` acquires. */
  readonly acquires: number;
  /** Number of failed requests by error code. */
  readonly errors: ReadonlyMap<string, number>;
}

/** The behaviour of the workers; a change affects later requests. */
export interface Pace {
  /** Average time between two requests of a worker, in milliseconds. */
  thinkMs: number;
  /** Average time that the server takes for a request, in milliseconds. */
  queryMs: number;
  /** How long a request keeps its connection after its last query, in milliseconds. */
  holdMs: number;
  /** The share of requests, from 0 to 1, that close their connection instead of returning it to the pool. */
  discard: number;
  /** The share of requests, from 0 to 1, that send a failing query. */
  failing: number;
  /** The share of requests, from 0 to 1, that send a query that exceeds its time limit. */
  timingOut: number;
  /** The share of requests, from 0 to 1, that send a query and abort it. */
  aborting: number;
}

// Retrying a failed request immediately would only add to the fault.
const BACK_OFF_MS = 50;
// Lasts longer than every time limit.
const ENDLESS = 'select pg_sleep(60)';
const STOPPED_AFTER_MS = 30;
const FAILING = ['select 1 / 0', 'select * from no_such_table', 'insert into visits (at) values (null)'];
// The table grows, so only part of it is read.
const READ = 'select count(*), pg_sleep($1) from (select from visits limit 1000) as visit';

type Query = readonly [sql: string, values?: readonly unknown[]];

/** The table that requests read and write, with privileges for all roles. */
export const VISITS = `create table if not exists visits (id bigserial primary key, at timestamptz not null default now());
grant select, insert on visits to public;
grant usage on visits_id_seq to public;`;

/** An application's requests: a number of workers, each of which makes one request after another. */
export class Workload {
  readonly pace: Pace = {
    ...{ thinkMs: 10, queryMs: 10, holdMs: 0 },
    ...{ discard: 0, failing: 0, timingOut: 0, aborting: 0 },
  };
  readonly #pool: InstrumentedPool;
  readonly #tracer: Tracer;
  readonly #errors = new Map<string, number>();
  readonly #running = new Map<number, Promise<void>>();
  #queries = 0;
  #acquires = 0;
  #wanted = 0;
  #succeeded: { after: number; at: number | undefined } = { after: Infinity, at: undefined };

  constructor(pool: InstrumentedPool, tracer: Tracer) {
    this.#pool = pool;
    this.#tracer = tracer;
  }

  /** Changes the number of workers; surplus ones finish their request first. */
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

  /** Stops all workers; resolves once their requests have ended. */
  async stop(): Promise<void> {
    this.#wanted = 0;
    await Promise.all(this.#running.values());
  }

  /** A copy of the counts. */
  tally(): Tally {
    return { queries: this.#queries, acquires: this.#acquires, errors: new Map(this.#errors) };
  }

  /** Starts to wait for the first success of a request that starts after now. */
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
      await sleep(failed ? BACK_OFF_MS : this.pace.thinkMs * 2 * Math.random());
    }
  }

  #request(index: number): Promise<void> {
    return this.#tracer.startActiveSpan('demo request', async (span) => {
      try {
        await this.#serve(index);
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }

  #serve(index: number): Promise<void> {
    const { queryMs, holdMs, discard, failing, timingOut, aborting } = this.pace;
    const query = [READ, [(queryMs * (0.5 + Math.random())) / 1_000]] as const;
    if (Math.random() < failing) {
      const index = Math.floor(Math.random() * FAILING.length);
      return this.#checkOut([[FAILING[index] ?? '']], false);
    }
    if (Math.random() < timingOut) return this.#stopped(() => ({ timeoutMs: STOPPED_AFTER_MS }));
    if (Math.random() < aborting) return this.#stopped(() => ({ signal: giveUpAfter(STOPPED_AFTER_MS) }));
    // Every fourth worker writes.
    if (index % 4 === 0) {
      const pause = ['select pg_sleep($1)', [queryMs / 2_000]] as const;
      return this.#checkOut([['begin'], ['insert into visits default values'], pause, ['commit']], false);
    }
    const close = Math.random() < discard;
    return holdMs > 0 || close ? this.#checkOut([query], close) : this.#query(query);
  }

  async #query([sql, values]: Query): Promise<void> {
    await this.#pool.query(sql, values && [...values]);
    this.#acquires += 1;
    this.#queries += 1;
  }

  /** A query that is stopped by its limit; the limit starts with the query, not with the wait for a connection. */
  async #stopped(limit: () => { timeoutMs: number } | { signal: AbortSignal }): Promise<void> {
    const client = await this.#pool.connect();
    this.#acquires += 1;
    try {
      await client.query({ text: ENDLESS, ...limit() });
    } finally {
      client.release();
    }
  }

  async #checkOut(queries: readonly Query[], close: boolean): Promise<void> {
    const client = await this.#pool.connect();
    this.#acquires += 1;
    try {
      for (const [sql, values] of queries) {
        await client.query(sql, values && [...values]);
        this.#queries += 1;
      }
      if (this.pace.holdMs > 0) await sleep(this.pace.holdMs);
    } finally {
      // After an error, the pool itself checks whether the connection is still usable.
      client.release(close);
    }
  }
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return code;
  // pg's own errors have no code.
  return typeof message === 'string' ? `"${message}"` : 'unknown';
}

/** The signal of a caller that gives up after `ms` milliseconds. */
function giveUpAfter(ms: number): AbortSignal {
  const given = new AbortController();
  setTimeout(() => given.abort(new Error('the caller gave up')), ms);
  return given.signal;
}
