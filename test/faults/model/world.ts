import type { PoolClient, QueryConfig } from 'pg';
import {
  newPool,
  type EndOptions,
  type InstrumentedPool,
  type QueryStopOptions,
} from '../../../src/index.js';
import type { LocalPostgres } from '../../../local-rds/index.js';
import { errorClass } from '../../support/error-class.js';
import { UNDISTURBED, type Proxy } from '../../support/proxy.js';
import { sessionsOf } from '../../support/sessions.js';
import { until } from '../../support/until.js';
import { Holding } from './holding.js';
import { SharedQueries } from './sharing.js';

/** How long everything may take to settle when the faults are over, in milliseconds. */
const SETTLE_MS = 20_000;
/** How long an idle pool's count may take to match its sockets and sessions, in milliseconds. */
const COUNTS_MS = 10_000;

/** The time limit of each query, set by the pool or by the query, in milliseconds. */
const SHORTEST_DEADLINE_MS = 500;

/** The settings of a run's pool. */
export interface PoolShape {
  readonly max: number;
  readonly min: number;
  readonly maxConnecting: number;
  readonly maxUses: number;
  readonly connectRetryMs: number;
  readonly maxPending: number;
  /** Whether `onAcquire` and `resetSession` run. */
  readonly hooks: boolean;
  /** How many queries may share a connection; 0 for no sharing. If they share, `hooks` do not run. */
  readonly depth: number;
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const ask = async (client: PoolClient): Promise<void> => {
  await client.query('select 1');
};
let runs = 0;

/** A pool on a real server behind a disturbing proxy, and a record of all calls and their outcomes. */
export class World {
  holdings: Holding[] = [];
  readonly formerReleases: ((error?: unknown) => void)[] = [];
  /** Holders who returned their session in a state in which it may be handed on. */
  readonly mayBeSeen = new Set<number>();
  readonly shared = new SharedQueries(this);
  ended = false;
  /** The current maximum. */
  max: number;
  /** At the last check: a pool that was made smaller may exceed its maximum, but never grow meanwhile. */
  #lastTotal = 0;
  readonly #owners = new Map<PoolClient, Holding>();
  readonly #pending = new Map<number, string>();
  readonly #violations: string[] = [];
  #lastId = 0;

  private constructor(
    readonly pool: InstrumentedPool,
    readonly proxy: Proxy,
    readonly server: LocalPostgres,
    readonly application: string,
    readonly shape: PoolShape,
  ) {
    this.max = shape.max;
  }

  static async make(server: LocalPostgres, proxy: Proxy, shape: PoolShape): Promise<World> {
    runs += 1;
    const application = `model ${process.pid} ${runs}`;
    await server.query('create table if not exists last_words (application text, id int)');
    await SharedQueries.makeTable(server);
    const { user, password, database } = server;
    const pool = await newPool(
      {
        ...{ host: proxy.host, port: proxy.port, user, password, database, sslMode: 'disable' },
        maxOpenConns: shape.max,
        minConns: shape.min,
        connMaxLifetimeMs: 400,
      },
      {
        pg: { application_name: application },
        ...{ maxConnecting: shape.maxConnecting, maxUses: shape.maxUses },
        ...{ connectRetryMs: shape.connectRetryMs, maxPending: shape.maxPending },
        ...{ acquireTimeoutMs: 1_000, connectTimeoutMs: 1_000 },
        ...(shape.depth > 0
          ? { pipelining: { depth: shape.depth } }
          : { queryTimeoutMs: SHORTEST_DEADLINE_MS }),
        ...{
          idleTimeoutMs: 250,
          healthCheckPeriodMs: 50,
          connMaxLifetimeJitterMs: 200,
          leakDetectionMs: 100,
        },
        ...(shape.hooks && shape.depth === 0 && { onAcquire: ask, resetSession: 'discard' }),
        logger: silent,
      },
    );
    return new World(pool, proxy, server, application, shape);
  }

  /** Records the promise as pending until it settles. */
  async track<T>(what: string, promise: Promise<T>): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#pending.set(id, what);
    try {
      return await promise;
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Acquires a client and marks its session once it has it. */
  acquire(acquiring: Promise<PoolClient>): void {
    const { ended } = this;
    const held = acquiring.then(
      (client) => {
        if (ended) this.violated('an ended pool handed out a client');
        const other = this.#owners.get(client);
        if (other !== undefined) this.violated(`holder ${other.id} and another one have the same client`);
        this.#lastId += 1;
        const holding = new Holding(this, client, this.#lastId);
        this.#owners.set(client, holding);
        this.holdings.push(holding);
        holding.mark();
      },
      (error: unknown) => {
        if (ended && errorClass(error) !== 'ERR_PGAUGE_POOL_ENDED' && errorClass(error) !== 'AbortError')
          this.violated(`an ended pool said ${String(error)}`);
        this.failed('acquire', error);
      },
    );
    void this.track('acquire', held);
  }

  /** A holder's query, with its time limit. */
  limited(text: string): string | (QueryConfig & QueryStopOptions) {
    return this.shape.depth > 0 ? { text, timeoutMs: SHORTEST_DEADLINE_MS } : text;
  }

  /** Called when the client no longer belongs to this holder. */
  given(holding: Holding): void {
    this.#owners.delete(holding.client);
    this.holdings = this.holdings.filter((one) => one !== holding);
    this.formerReleases.push(holding.release);
  }

  /** Checks that a fault or the test's own SQL explains an error, but never another holder's failed transaction. */
  failed(what: string, error: unknown, inTransaction = false): void {
    const name = errorClass(error);
    if (name === undefined) this.violated(`${what} failed with ${String((error as Error).stack)}`);
    if (name === '25P02' && !inTransaction) this.violated(`${what} ran in another's failed transaction`);
    if (name === 'ERR_PGAUGE_OUTCOME_UNKNOWN' && this.shape.depth < 2)
      this.violated(`${what} shared its connection`);
  }

  violated(what: string): void {
    this.#violations.push(what);
  }

  end(options?: EndOptions): void {
    this.ended = true;
    void this.track('end', this.pool.end(options));
  }

  resize(max: number): void {
    this.max = max;
    this.pool.resize({ maxOpenConns: max });
  }

  /** Waits until a connection is open. */
  ready(): void {
    const ready = this.pool.ready({ signal: AbortSignal.timeout(2_000) });
    void this.track(
      'ready',
      ready.catch((error: unknown) => {
        const late = error instanceof Error && error.name === 'TimeoutError';
        if (!late) this.failed('ready', error);
      }),
    );
  }

  /** Sends writes without awaiting them, on a client and the pool, and ends the pool; without a fault all are done. */
  async #endWithLastWords(): Promise<void> {
    // On a busy machine an acquire may time out.
    const acquired = (): Promise<PoolClient | undefined> => this.pool.connect().catch(() => undefined);
    const client = await until('a client to end with', acquired, SETTLE_MS);
    const askedAt = performance.now();
    const write = 'insert into last_words values ($1, $2)';
    const transaction = [
      client.query('begin'),
      client.query(write, [this.application, 0]),
      client.query('commit'),
    ];
    const writes = Array.from(
      { length: Math.min(2 * this.max, this.shape.maxPending || Infinity) },
      (_, id) => this.pool.query(write, [this.application, id + 1]),
    );
    this.end();
    client.release();
    await this.track('last words', Promise.allSettled([...transaction, ...writes]));
    const outcomes = await Promise.allSettled([...transaction.slice(-1), ...writes]);
    // On a busy machine a deadline of the pool may pass.
    const inTime = performance.now() - askedAt < SHORTEST_DEADLINE_MS;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected' && inTime)
        this.violated(`a query that was asked for before end() failed: ${String(outcome.reason)}`);
    }
    const told = outcomes.filter(({ status }) => status === 'fulfilled').length;
    const { rows } = await this.server.query(
      `select count(*)::int as count from last_words where application = '${this.application}'`,
    );
    const { count } = rows[0] as { count: number };
    if (count < told) this.violated(`${told} writes were answered and ${count} were done`);
  }

  /** Checks what must hold after every step. */
  check(): void {
    const { pool, shape, max } = this;
    const { totalConns, acquiredConns, idleConns, constructingConns } = pool.stat();
    if (totalConns > Math.max(max, this.#lastTotal))
      this.violated(`${totalConns} connections of at most ${max}`);
    this.#lastTotal = totalConns;
    if (constructingConns > shape.maxConnecting)
      this.violated(`${constructingConns} dials of at most ${shape.maxConnecting}`);
    if (totalConns !== acquiredConns + idleConns + constructingConns)
      this.violated('the counts do not add up');
    const { pipelined = 0, unreachable } = pool.gauges;
    if (pipelined < 0 || pipelined > acquiredConns * Math.max(0, shape.depth - 1))
      this.violated(`${pipelined} queries share ${acquiredConns} connections`);
    const pausing = shape.connectRetryMs > 0 && unreachable;
    if (pool.waitingCount > 0 && acquiredConns + constructingConns === 0 && !pausing)
      this.violated('a waiter has neither a dial nor a busy connection to wait for');
    if (this.#violations.length > 0) throw new Error(this.#violations.join('\n'));
  }

  /** Cleans up after a failed run. */
  abandon(): void {
    this.calm();
    this.proxy.resetAll();
    void this.pool.end({ waiting: 'reject' });
    for (const holding of this.holdings) holding.drop();
  }

  /** Ends the disturbances; connections stay open, except when no limit would end their queries. */
  calm(): void {
    this.proxy.set(UNDISTURBED);
    if (this.shape.depth > 0) this.proxy.resetAll();
  }

  /** Without disturbances, the pool counts as many connections as there are sockets, and sessions on the server. */
  async countsAgree(): Promise<void> {
    let seen = '';
    const agree = async (): Promise<boolean> => {
      this.proxy.dropClosed();
      const before = this.pool.totalCount;
      const sessions = await this.#sessions();
      const [total, sockets] = [this.pool.totalCount, this.proxy.open];
      seen = `pool ${total}, sockets ${sockets}, sessions ${sessions}`;
      return before === total && total === sockets && total === sessions;
    };
    await until('as many connections as sockets and sessions', agree, COUNTS_MS).catch(() => {
      throw new Error(`the counts differ: ${seen}`);
    });
  }

  /** Ends the disturbances, releases all clients, ends the pool and checks that nothing is left. */
  async finish(): Promise<void> {
    this.calm();
    if (!this.ended) await this.countsAgree();
    await this.#allGivenBack();
    this.check();
    if (!this.ended) {
      const works = (): Promise<boolean> =>
        this.pool.query('select 1').then(
          () => true,
          () => false,
        );
      await until('a query that succeeds', works, SETTLE_MS);
      await this.countsAgree();
      await this.#endWithLastWords();
      await this.#allGivenBack();
    }
    await this.shared.check();
    if (this.pool.totalCount !== 0) this.violated(`an ended pool counts ${this.pool.totalCount} connections`);
    await until('no socket is left', () => this.proxy.open === 0);
    await until('no session is left', async () => {
      this.proxy.dropClosed();
      return (await this.#sessions()) === 0;
    });
    this.check();
  }

  /** Releases all held clients, and those acquired meanwhile, until nothing is pending. */
  async #allGivenBack(): Promise<void> {
    const settled = (): boolean => {
      for (const holding of this.holdings) holding.drop();
      return this.#pending.size === 0 && this.holdings.length === 0;
    };
    await until('every promise settles', settled, SETTLE_MS).catch(() => {
      throw new Error(`never settled: ${[...this.#pending.values()].join(', ')}`);
    });
  }

  #sessions(): Promise<number> {
    return sessionsOf(this.server, this.application);
  }
}
