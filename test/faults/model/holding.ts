import type { PoolClient, QueryConfig, QueryResult } from 'pg';

/** What a holder tells of what happens. */
interface Book {
  /** Holders who gave their session back as it may be handed on. */
  readonly mayBeSeen: Set<number>;
  track<T>(what: string, promise: Promise<T>): Promise<T>;
  limited(text: string): string | QueryConfig;
  given(holding: Holding): void;
  failed(what: string, error: unknown, inTransaction: boolean): void;
  violated(what: string): void;
}

/** One checkout, by the book of whoever holds it. */
export class Holding {
  /** Queries whose promise has not settled. */
  #outstanding = 0;
  #inTransaction = false;
  #mayBeHandedOn = false;
  /** The function of this checkout, whatever the client's own is later. */
  readonly release: (error?: unknown) => void;
  released = false;

  constructor(
    private readonly book: Book,
    readonly client: PoolClient,
    readonly id: number,
  ) {
    this.release = client.release as (error?: unknown) => void;
  }

  /** Whether the session may be handed to somebody else as it is. */
  get clean(): boolean {
    return this.#outstanding === 0 && !this.#inTransaction;
  }

  /** Reads what the session remembers of its earlier holders, and signs it. */
  mark(): void {
    void this.run(
      'mark',
      `select coalesce(current_setting('model.owner', true), '') as owner, now() = statement_timestamp() as fresh`,
      ({ rows }) => {
        const [row] = rows as { owner: string; fresh: boolean }[];
        const { owner = '?', fresh } = row ?? {};
        if (owner !== '' && !this.book.mayBeSeen.has(Number(owner))) {
          this.book.violated(`holder ${this.id} got the session of ${owner}, who never gave it back clean`);
        }
        if (fresh !== true) this.book.violated(`holder ${this.id} got an open transaction`);
      },
    );
    void this.run('sign', `select set_config('model.owner', '${this.id}', false)`);
  }

  echo(seconds = 0): Promise<void> {
    const nonce = `${this.id}-${Math.random()}`;
    return this.run(
      'echo',
      `select '${nonce}' as nonce, current_setting('model.owner', true) as owner, pg_sleep(${seconds})`,
      ({ rows }) => {
        const [row] = rows as { nonce: string; owner: string }[];
        if (row?.nonce !== nonce) this.book.violated(`holder ${this.id} got the answer of another query`);
        if (row?.owner !== String(this.id))
          this.book.violated(`holder ${this.id} shares its session with ${row?.owner ?? '?'}`);
      },
    );
  }

  begin(): Promise<void> {
    // From the moment it is sent.
    this.#inTransaction = true;
    return this.run('begin', 'begin');
  }

  /** Fails, in a transaction or not. */
  fail(): Promise<void> {
    return this.run('fail', 'select 1/0');
  }

  endTransaction(how: 'commit' | 'rollback'): Promise<void> {
    return this.run(how, how, () => {
      this.#inTransaction = false;
    });
  }

  /** Fails and is given back within the callback: before ReadyForQuery, with a stale transaction state. */
  failAndRelease(inTransaction: boolean): void {
    if (inTransaction) this.#inTransaction = true;
    const failing = new Promise<void>((resolve) => {
      this.client.query(this.book.limited(`${inTransaction ? 'begin; ' : ''}select 1/0`), () => {
        this.drop();
        resolve();
      });
    });
    void this.book.track('fail and release', failing);
  }

  /** Releases it as it is. */
  drop(error?: unknown): void {
    if (this.released) return;
    this.released = true;
    this.#mayBeHandedOn = !error;
    this.#noteClean();
    this.book.given(this);
    this.release(error);
  }

  /** What is outstanding when a client is released is answered first: the session is judged then. */
  #noteClean(): void {
    if (this.#mayBeHandedOn && this.clean) this.book.mayBeSeen.add(this.id);
  }

  /** Ends what is open, removes its sign, and releases it. */
  async giveBack(): Promise<void> {
    if (this.#inTransaction) await this.endTransaction('rollback');
    await this.run('unsign', `select set_config('model.owner', '', false)`);
    this.drop();
  }

  /** Runs a query; what fails is noted and no more, for a fault may have happened. */
  async run(
    what: string,
    text: string,
    check: (result: QueryResult) => void = () => undefined,
  ): Promise<void> {
    if (this.released) return;
    this.#outstanding += 1;
    await this.book.track(
      what,
      this.client.query(this.book.limited(text)).then(
        (result) => {
          this.#outstanding -= 1;
          check(result);
          this.#noteClean();
        },
        (error: unknown) => {
          this.#outstanding -= 1;
          this.#noteClean();
          this.book.failed(what, error, this.#inTransaction);
        },
      ),
    );
  }
}
