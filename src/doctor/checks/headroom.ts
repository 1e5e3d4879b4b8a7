import { additional } from '../../auth/doctor.js';
import { failed, ok, warning, type Outcome } from '../report.js';
import { answering } from '../server-query.js';
import type { Session } from '../session.js';
import { sqlName } from '../sql-name.js';

const RESERVED = ['reserved_connections', ...additional('reservedConnections').flat()];

// Any role can see the user and database of all sessions; entries without these are the server's own processes.
const COUNTS = `
  with sessions as (
    select usesysid, datid from pg_catalog.pg_stat_activity
     where usesysid is not null and datid is not null and pid <> pg_catalog.pg_backend_pid()
       and coalesce(backend_type, 'client backend') = 'client backend')
  select current_setting('max_connections')::int as max_connections,
         current_setting('superuser_reserved_connections')::int
           ${RESERVED.map((name) => `+ coalesce(current_setting('${name}', true)::int, 0)`).join(' ')} as reserved,
         (select count(*)::int from sessions) as used,
         rolconnlimit as role_limit,
         (select count(*)::int from sessions where usesysid = pg_roles.oid) as role_used,
         datconnlimit as database_limit,
         (select count(*)::int from sessions where datid = pg_database.oid) as database_used
    from pg_catalog.pg_roles, pg_catalog.pg_database
   where rolname = current_user and datname = pg_catalog.current_database()`;

/** The server's connection counts; a limit of -1 means none. */
export interface Counts {
  readonly max_connections: number;
  readonly reserved: number;
  readonly used: number;
  readonly role_limit: number;
  readonly role_used: number;
  readonly database_limit: number;
  readonly database_used: number;
}

/** Checks whether the server has room for the pool's maximum. */
export async function checkHeadroom(session: Session): Promise<Outcome> {
  return await answering(session, async () => {
    const { user, database } = session.get('config');
    return judge(await session.row<Counts>(COUNTS), session.settings.max, { user, database });
  });
}

/** Judges the counts, which exclude the doctor's own session. */
export function judge(counts: Counts, max: number, name: { user: string; database: string }): Outcome {
  const limits = [
    {
      what: 'max_connections',
      capacity: counts.max_connections - counts.reserved,
      used: counts.used,
      raise: 'raise max_connections',
    },
    {
      what: `CONNECTION LIMIT of role ${name.user}`,
      capacity: limitOf(counts.role_limit),
      used: counts.role_used,
      raise: `ALTER ROLE ${sqlName(name.user)} CONNECTION LIMIT -1;`,
    },
    {
      what: `CONNECTION LIMIT of database ${name.database}`,
      capacity: limitOf(counts.database_limit),
      used: counts.database_used,
      raise: `ALTER DATABASE ${sqlName(name.database)} CONNECTION LIMIT -1;`,
    },
  ];
  const free = (limit: (typeof limits)[number]): number => limit.capacity - limit.used;
  const tightest = limits.reduce((least, limit) => (free(limit) < free(least) ? limit : least));
  const smallest = limits.reduce((least, limit) => (limit.capacity < least.capacity ? limit : least));
  const facts = { ...counts, free: Math.max(0, free(tightest)), limited_by: tightest.what, pool_max: max };
  if (max > smallest.capacity) {
    return failed(
      'pool_too_large',
      `the pool's maximum is ${max}, and ${smallest.what} leaves ${smallest.capacity} at best`,
      `lower the maximum (maxOpenConns), or ${smallest.raise}`,
      facts,
    );
  }
  const text = `${Math.max(0, free(tightest))} of ${tightest.capacity} free (${tightest.what}), the pool's maximum is ${max}`;
  if (free(tightest) >= max) return ok(text, { facts });
  return warning(
    'headroom_small',
    text,
    `a full pool would be refused with 53300: lower the maximum, end idle sessions, or ${tightest.raise}`,
    facts,
  );
}

function limitOf(value: number): number {
  return value < 0 ? Infinity : value;
}
