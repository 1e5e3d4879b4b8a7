import type { QueryResult } from 'pg';
import type { LocalPostgres } from '../../../local-rds/index.js';
import type { InstrumentedPool } from '../../../src/index.js';

export const SHARED_QUERIES = [
  'echo',
  'named echo',
  'slow echo',
  'slower echo',
  'failure',
  'insert',
] as const;

const TEXTS = {
  echo: 'select $1::text as nonce, txid_current()::text as transaction',
  slow: 'select $1::text as nonce, txid_current()::text as transaction, pg_sleep($2)',
  failure: 'select $1::text as nonce, 1 / 0',
  insert:
    'insert into shared_words values ($2, $1::int) returning id::text as nonce, txid_current()::text as transaction',
};

/** What the queries run on, and where their outcomes are recorded. */
interface Book {
  readonly pool: InstrumentedPool;
  readonly server: LocalPostgres;
  readonly application: string;
  track<T>(what: string, promise: Promise<T>): Promise<T>;
  failed(what: string, error: unknown): void;
  violated(what: string): void;
}

/** The queries of a run that may share connections, and a record of their outcomes. */
export class SharedQueries {
  readonly #book: Book;
  readonly #transactions = new Set<string>();
  readonly #acknowledged = new Set<number>();
  #lastId = 0;

  constructor(book: Book) {
    this.#book = book;
  }

  static async makeTable(server: LocalPostgres): Promise<void> {
    await server.query('create table if not exists shared_words (application text, id int)');
  }

  /** Runs one in the callback form, which reveals an answer that is delivered twice. */
  run(kind: (typeof SHARED_QUERIES)[number]): void {
    const { pool, application } = this.#book;
    const id = (this.#lastId += 1);
    const nonce = String(id);
    const [query, values] = {
      echo: [TEXTS.echo, [nonce]],
      'named echo': [{ text: TEXTS.echo, name: `shared ${id % 2}` }, [nonce]],
      'slow echo': [TEXTS.slow, [nonce, 0.02]],
      'slower echo': [TEXTS.slow, [nonce, 0.4]],
      failure: [TEXTS.failure, [nonce]],
      insert: [TEXTS.insert, [nonce, application]],
    }[kind] as [string, unknown[]];
    let answers = 0;
    const answered = new Promise<void>((resolve) => {
      pool.query(query, values, (error: Error | undefined, result: QueryResult | undefined) => {
        answers += 1;
        if (answers > 1) this.#book.violated(`${kind} ${id} was answered ${answers} times`);
        if (error) this.#book.failed(kind, error);
        else this.#answered(id, result);
        if (!error && kind === 'insert') this.#acknowledged.add(id);
        resolve();
      });
    });
    void this.#book.track(kind, answered);
  }

  /** Checks that each row was written at most once, and that every acknowledged row was written. */
  async check(): Promise<void> {
    const { rows } = await this.#book.server.query(
      `select id, count(*)::int as times from shared_words where application = '${this.#book.application}' group by id`,
    );
    const times = new Map((rows as { id: number; times: number }[]).map((row) => [row.id, row.times]));
    for (const [id, count] of times)
      if (count > 1) this.#book.violated(`insert ${id} was done ${count} times`);
    for (const id of this.#acknowledged)
      if (!times.has(id)) this.#book.violated(`insert ${id} was acknowledged and not done`);
  }

  #answered(id: number, result: QueryResult | undefined): void {
    const [row] = (result?.rows ?? []) as { nonce: string; transaction: string }[];
    if (row?.nonce !== String(id)) this.#book.violated(`query ${id} got the answer of ${row?.nonce ?? '?'}`);
    else if (this.#transactions.has(row.transaction))
      this.#book.violated(`query ${id} ran in another's transaction`);
    else this.#transactions.add(row.transaction);
  }
}
