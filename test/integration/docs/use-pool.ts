/** The methods that `pg.Pool` and our pool have in common. */
interface Pool {
  readonly ended: boolean;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
}

/** Checks that a pool created in the documentation can be used, and ends it if the code has not. */
export async function usePool(pool: Pool, name: string): Promise<void> {
  if (!pool.ended) {
    await pool.query('select 1');
    await pool.end();
  }
  process.stdout.write(`used ${name}\n`);
}
