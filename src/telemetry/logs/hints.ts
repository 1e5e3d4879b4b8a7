import { property, sqlState } from '../error-type.js';

const REJECTED_TOKEN =
  'the server rejected the token: check the clock, the IAM policy (rds-db:connect for this user) and that the user has the role rds_iam';
const NO_PASSWORD = 'no password was found: set one in the config or add a matching line to PGPASSFILE';

/** What to look at first after a failed attempt, where that is known; always a fixed text. */
export function connectHint(error: unknown, usedToken: boolean): string | undefined {
  if (usedToken && sqlState(error)?.startsWith('28')) return REJECTED_TOKEN;
  const message = property(error, 'message');
  return typeof message === 'string' && message.includes('PGPASSFILE') ? NO_PASSWORD : undefined;
}
