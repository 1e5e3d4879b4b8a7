import type { LocalPostgres } from '../../local-rds/postgres.js';

/** The number of sessions on the server with an application name. */
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

/** The number of backends running a statement whose text contains the mark. */
export async function backendsRunning(server: Pick<LocalPostgres, 'query'>, mark: string): Promise<number> {
  const { rows } = await server.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where pid <> pg_backend_pid() and state = 'active' and query like $1",
    [`%${mark}%`],
  );
  return rows[0]?.n ?? NaN;
}
