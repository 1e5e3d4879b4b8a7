import { additional, loginBackend } from '../../auth/doctor.js';
import type { Check } from '../addition.js';
import { notConfigured, type Outcome } from '../report.js';
import type { Session } from '../session.js';

/** Checks whether the user is a member of the role that decides how it logs in, if the service has one. */
export async function checkMembership(session: Session, signal: AbortSignal): Promise<Outcome> {
  const backend = loginBackend(session.get('config'));
  // The user of a login with a password may also be a member.
  const check: Check | undefined = backend
    ? backend.addition.checks?.rds_iam
    : additional('checks').find(({ rds_iam }) => rds_iam)?.rds_iam;
  return check
    ? await check(session, signal)
    : notConfigured(`not needed: logs in with ${backend?.label ?? 'a password'}`);
}
