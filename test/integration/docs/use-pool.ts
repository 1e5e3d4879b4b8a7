/** What a `pg.Pool` and ours have in common. */
interface Pool {
  readonly ended: boolean;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
}

/** Shows that a pool which the documentation makes can be used, and ends it, unless it did so itself. */
export async function usePool(pool: Pool, name: string): Promise<void> {
  if (!pool.ended) {
    await pool.query('select 1');
    await pool.end();
  }
  process.stdout.write(`used ${name}\n`);
}
