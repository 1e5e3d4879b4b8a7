import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import type { InstrumentedPool } from '../../src/index.js';
import { errorClass } from '../support/error-class.js';
import type { Ledger } from './ledger.js';
import type { Tally } from './tally.js';

/** What the operations share. */
export interface Load {
  readonly pool: InstrumentedPool;
  readonly tally: Tally;
  readonly ledger: Ledger;
  readonly owners: Map<PoolClient, number>;
  lastOwner: number;
}

/** Checks a client out, and checks that no other holder in this process has it. */
async function checkOut(load: Load, acquiring: Promise<PoolClient>): Promise<PoolClient> {
  const client = await load.tally.watch('acquire', acquiring);
  const holder = load.owners.get(client);
  if (holder !== undefined) load.tally.isWrong('one client was handed to two holders');
  load.lastOwner += 1;
  load.owners.set(client, load.lastOwner);
  return client;
}

function giveBack(load: Load, client: PoolClient, error?: unknown): void {
  load.owners.delete(client);
  client.release(error as Error | undefined);
}

/** Runs `work` with a client that is released afterwards, with the error if there was one. */
async function holding(load: Load, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await checkOut(load, load.pool.connect());
  let failed: unknown;
  try {
    await work(client);
  } catch (error) {
    failed = error;
    throw error;
  } finally {
    giveBack(load, client, failed);
  }
}

async function expectEcho(load: Load, on: Pick<PoolClient, 'query'>, vary: number): Promise<void> {
  const nonce = `${vary}-${Math.random()}`;
  const query = on.query<{ nonce: string }>('select $1::text as nonce, pg_sleep($2)', [nonce, vary / 50]);
  const { rows } = await load.tally.watch('query', query);
  if (rows.length !== 1 || rows[0]?.nonce !== nonce)
    load.tally.isWrong('a query got the answer of another one');
}

const INSERT = 'insert into written (id) values ($1)';

/** Errors of an acquire, after which no statement can have been sent. */
const NEVER_SENT = /^(ERR_PGAUGE_(?!OUTCOME_UNKNOWN|QUERY_TIMEOUT).*|28...|57P03|53300|ECONNREFUSED)$/;

/** Starts a transaction that writes, without awaiting anything; `answer` is the answer to its COMMIT. */
function unawaitedTransaction({ ledger, tally }: Load, client: PoolClient) {
  const ids = [ledger.begin(), ledger.begin()];
  const inserts = ids.map((id) => `insert into written (id) values (${id})`);
  client.query(['begin', ...inserts].join('; ')).catch((error: unknown) => tally.failed(error));
  for (const id of ids) ledger.sent(id);
  return { ids, answer: client.query('commit') };
}

/**
 * Starts more queries than the pool has connections, then ends the pool: all of them must run. Only without a fault.
 */
export async function endWithLastWords(load: Load): Promise<void> {
  const { ledger, pool, tally } = load;
  const client = await pool.connect();
  const { answer, ids } = unawaitedTransaction(load, client);
  const asked = [answer];
  for (let query = 0; query < 3 * pool.options.max; query += 1) {
    const id = ledger.begin();
    ledger.sent(id);
    ids.push(id);
    asked.push(pool.query(INSERT, [id]));
  }
  const ended = pool.end();
  client.release();
  for (const outcome of await Promise.allSettled(asked)) {
    if (outcome.status === 'rejected')
      tally.isWrong(`a query that was asked for before end() failed: ${String(outcome.reason)}`);
  }
  for (const id of ids) ledger.committed(id);
  await ended;
}

/** The operations of a worker, each with a number in [0, 1) that varies it. */
export const OPERATIONS = {
  echo: async (load: Load, vary: number) => expectEcho(load, load.pool, vary),

  async rows({ pool, tally }: Load, vary: number) {
    const [count, factor] = [Math.ceil(vary * 500), Math.ceil(vary * 1_000)];
    const { rows } = await pool.query<{ i: number; p: number }>(
      'select i, i * $1::int as p from generate_series(1, $2::int) i',
      [factor, count],
    );
    const right = rows.length === count && rows.every(({ i, p }, at) => i === at + 1 && p === i * factor);
    if (!right) tally.isWrong(`a query of ${count} rows got others`);
  },

  callback: ({ pool, tally }: Load) =>
    new Promise<void>((resolve, reject) => {
      let answers = 0;
      pool.query('select 1', (error: Error | undefined) => {
        answers += 1;
        if (answers > 1) tally.isWrong('a query was answered twice');
        else if (error) reject(error);
        else resolve();
      });
    }),

  async insert({ pool, ledger }: Load) {
    const id = ledger.begin();
    ledger.sent(id);
    try {
      await pool.query(INSERT, [id]);
      ledger.committed(id);
    } catch (error) {
      if (NEVER_SENT.test(errorClass(error) ?? '')) ledger.refused(id);
      throw error;
    }
  },

  transaction: (load: Load, vary: number) =>
    holding(load, async (client) => {
      const { ledger } = load;
      const ids = [ledger.begin(), ledger.begin()];
      await client.query('begin');
      for (const id of ids) await client.query(INSERT, [id]);
      if (vary < 0.2) {
        await client.query('rollback');
        return;
      }
      for (const id of ids) ledger.sent(id);
      const { command } = await client.query('commit');
      if (command !== 'COMMIT') load.tally.isWrong(`a commit was answered with ${command}`);
      for (const id of ids) ledger.committed(id);
    }),

  /** Runs and releases without awaiting anything: the server's answer must be true. */
  async unawaited(load: Load) {
    const client = await checkOut(load, load.pool.connect());
    const { answer, ids } = unawaitedTransaction(load, client);
    giveBack(load, client);
    const { command } = await load.tally.watch('commit that nobody awaits', answer);
    if (command === 'COMMIT') for (const id of ids) load.ledger.committed(id);
  },

  /** Releases within a transaction: it must never be visible, to the next holder or in the table. */
  async abandonedTransaction(load: Load) {
    const id = load.ledger.begin();
    await holding(load, async (client) => {
      await client.query(`begin; set soak.owner = 'abandoned'`);
      await client.query(INSERT, [id]);
    });
  },

  async failedTransaction(load: Load) {
    const client = await checkOut(load, load.pool.connect());
    const failed = client.query(`begin; set soak.owner = 'failed'; select 1/0`);
    const error = await load.tally.watch('query', failed).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    giveBack(load, client);
    if (error === undefined) load.tally.isWrong('a division by 0 had a result');
    else if (errorClass(error) !== '22012') throw error as Error;
  },

  async releasedMidQuery(load: Load, vary: number) {
    const client = await checkOut(load, load.pool.connect());
    const outcome = load.tally.watch(
      'query released midway',
      client.query('select pg_sleep($1)', [vary / 10]),
    );
    giveBack(load, client);
    await outcome.catch((error: unknown) => load.tally.failed(error));
  },

  session: (load: Load, vary: number) =>
    holding(load, async (client) => {
      const owner = `owner ${load.lastOwner}`;
      const told = `coalesce(nullif(current_setting('soak.owner', true), ''), 'nobody') as owner`;
      const { rows: before } = await client.query<{ owner: string }>(`select ${told}`);
      if (before[0]?.owner !== 'nobody')
        load.tally.isWrong(`a session came with the state of ${before[0]?.owner ?? '?'}`);
      await client.query(`select set_config('soak.owner', $1, false)`, [owner]);
      await sleep(vary * 20);
      const { rows: after } = await client.query<{ owner: string }>(`select ${told}`);
      if (after[0]?.owner !== owner)
        load.tally.isWrong('a session was used by somebody else while it was held');
      await client.query(`select set_config('soak.owner', '', false)`);
    }),

  async sqlError({ pool, tally }: Load) {
    const error = await pool.query('select 1/0').then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) tally.isWrong('a division by 0 had a result');
    else if (errorClass(error) !== '22012') throw error as Error;
  },

  async aborted(load: Load, vary: number) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), vary * 30);
    try {
      giveBack(load, await checkOut(load, load.pool.connect({ signal: abort.signal })));
    } finally {
      clearTimeout(timer);
    }
  },

  async impatient(load: Load, vary: number) {
    giveBack(load, await checkOut(load, load.pool.connect({ timeoutMs: 1 + vary * 20 })));
  },

  /** Takes longer than a query may. */
  async slowQuery({ pool }: Load, vary: number) {
    await pool.query(`select pg_sleep($1)`, [1 + vary * 4]);
  },

  releasedWithError: (load: Load, vary: number) =>
    checkOut(load, load.pool.connect()).then(async (client) => {
      await expectEcho(load, client, vary / 4).finally(() => giveBack(load, client, new Error('unwanted')));
    }),

  async releasedTwice(load: Load, vary: number) {
    const client = await checkOut(load, load.pool.connect());
    const { release } = client;
    giveBack(load, client);
    await sleep(vary * 5);
    try {
      release();
      load.tally.isWrong('a second release was taken');
    } catch (error) {
      const { message } = error as Error;
      if (!message.startsWith('Release called on client which has already been released')) throw error;
    }
  },

  /** A leak whose client is released in the end. */
  leak: (load: Load, vary: number) =>
    holding(load, async (client) => {
      await sleep(vary * 3_000);
      await expectEcho(load, client, 0);
    }),
};
