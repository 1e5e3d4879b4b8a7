import type { PoolClient, QueryConfig, QueryResult } from 'pg';

/** What a holder uses to record its actions. */
interface Book {
  /** Holders who returned their session in a state in which it may be handed on. */
  readonly mayBeSeen: Set<number>;
  track<T>(what: string, promise: Promise<T>): Promise<T>;
  limited(text: string): string | QueryConfig;
  given(holding: Holding): void;
  failed(what: string, error: unknown, inTransaction: boolean): void;
  violated(what: string): void;
}

/** One checkout, with its holder's record of it. */
export class Holding {
  /** Queries whose promise has not settled. */
  #outstanding = 0;
  #inTransaction = false;
  #mayBeHandedOn = false;
  /** The release function of this checkout, even after the client has a new one. */
  readonly release: (error?: unknown) => void;
  released = false;

  constructor(
    private readonly book: Book,
    readonly client: PoolClient,
    readonly id: number,
  ) {
    this.release = client.release as (error?: unknown) => void;
  }

  /** Whether the session may be handed to another holder in its current state. */
  get clean(): boolean {
    return this.#outstanding === 0 && !this.#inTransaction;
  }

  /** Reads which earlier holder has marked the session, and marks it for this one. */
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
    // Set as soon as it is sent.
    this.#inTransaction = true;
    return this.run('begin', 'begin');
  }

  /** Runs a query that fails, in a transaction or not. */
  fail(): Promise<void> {
    return this.run('fail', 'select 1/0');
  }

  endTransaction(how: 'commit' | 'rollback'): Promise<void> {
    return this.run(how, how, () => {
      this.#inTransaction = false;
    });
  }

  /** Fails, and releases the client within the callback: before ReadyForQuery, with a stale transaction state. */
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

  /** Releases the client in its current state. */
  drop(error?: unknown): void {
    if (this.released) return;
    this.released = true;
    this.#mayBeHandedOn = !error;
    this.#noteClean();
    this.book.given(this);
    this.release(error);
  }

  /** Called on release and after each answer: a released session is judged once its queries are answered. */
  #noteClean(): void {
    if (this.#mayBeHandedOn && this.clean) this.book.mayBeSeen.add(this.id);
  }

  /** Ends an open transaction, removes the mark, and releases the client. */
  async giveBack(): Promise<void> {
    if (this.#inTransaction) await this.endTransaction('rollback');
    await this.run('unsign', `select set_config('model.owner', '', false)`);
    this.drop();
  }

  /** Runs a query; an error is only recorded, because a fault may have caused it. */
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
