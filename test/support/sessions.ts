import type { LocalPostgres } from '../../local-rds/postgres.js';

/** How many sessions the server has under an application name. */
export async function sessionsOf(
  server: Pick<LocalPostgres, 'query'>,
  applicationName: string,
): Promise<number> {
  const { rows } = await server.query<{ n: number }>(
    'select count(*)::int as n from pg_stat_activity where application_name = $1',
    [applicationName],
  );
  return rows[0]?.n ?? NaN;
}

/** How many backends run a statement with the mark in its text. */
export async function backendsRunning(server: Pick<LocalPostgres, 'query'>, mark: string): Promise<number> {
  const { rows } = await server.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where pid <> pg_backend_pid() and state = 'active' and query like $1",
    [`%${mark}%`],
  );
  return rows[0]?.n ?? NaN;
}
