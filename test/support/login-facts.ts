import type { InstrumentedPool } from '../../src/index.js';

/** Facts about a connection from the server, and values whose text and binary forms differ. */
export interface LoginFacts {
  readonly user: string;
  readonly database: string;
  readonly ssl: boolean;
  readonly backend: string;
  readonly application: string;
  readonly numbers: unknown;
}

const SQL = `
  select current_user::text as "user", current_database()::text as database, ssl, backend_type as backend,
         current_setting('application_name') as application,
         json_build_array(1, 2.5) as numbers, 5 as five, true as yes, 'x'::bytea as bytes
    from pg_stat_ssl join pg_stat_activity using (pid) where pid = pg_backend_pid()`;

/** Logs in through a pool and asks the server about its connection. */
export async function loginFacts(pool: InstrumentedPool): Promise<LoginFacts> {
  const { rows } = await pool.query<{ five: unknown; yes: unknown; bytes: Buffer; numbers: unknown }>(SQL);
  const [row] = rows;
  if (row === undefined) throw new Error('the server knows nothing of this connection');
  const { five, yes, bytes, numbers, ...facts } = row;
  return { ...(facts as unknown as LoginFacts), numbers: [numbers, five, yes, bytes.toString()] };
}

/** The expected `numbers` of every successful login. */
export const NUMBERS = [[1, 2.5], 5, true, 'x'];
