import { notConfigured, ok, warning, type Outcome } from '../../../doctor/report.js';
import { answering } from '../../../doctor/server-query.js';
import type { Session } from '../../../doctor/session.js';
import { sqlName } from '../../../doctor/sql-name.js';

// Read from the catalog, because pg_has_role is true for a superuser even if it is not a member.
const MEMBERSHIP = `
  with recursive held(role) as (
    select oid from pg_catalog.pg_roles where rolname = current_user
    union
    select roleid from pg_catalog.pg_auth_members join held on member = role)
  select (select count(*)::int from pg_catalog.pg_roles where rolname = 'rds_iam') as roles,
         (select count(*)::int from held join pg_catalog.pg_roles on oid = role where rolname = 'rds_iam') as held`;

/** Checks whether the user is a member of `rds_iam`, which decides how the user logs in. */
export async function checkMembership(session: Session): Promise<Outcome> {
  return await answering(session, async () => {
    const { user, dynamicAuth } = session.get('config');
    const { roles, held } = await session.row<{ roles: number; held: number }>(MEMBERSHIP);
    const facts = { role_exists: roles > 0, member: held > 0 };
    const role = sqlName(user);
    if (dynamicAuth === undefined) {
      if (roles === 0) return notConfigured('not needed: logs in with a password');
      if (held === 0) return ok(`${user} is no member, as a login with a password wants it`, { facts });
      return warning(
        'member_with_password',
        `${user} is a member of rds_iam, yet logged in with a password`,
        `on RDS members log in with tokens only: give --region, or REVOKE rds_iam FROM ${role};`,
        facts,
      );
    }
    if (held > 0) return ok(`${user} is a member`, { facts });
    if (roles === 0) {
      return warning(
        'role_missing',
        'the server has no role rds_iam, yet took the token',
        'this is no RDS database, or IAM authentication was never switched on: see that it is the one you mean',
        facts,
      );
    }
    return warning(
      'not_member',
      `${user} is not a member, yet the token was taken`,
      `the next login may be asked for a password: GRANT rds_iam TO ${role};`,
      facts,
    );
  });
}
