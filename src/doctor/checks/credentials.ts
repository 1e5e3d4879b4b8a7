import { DOCTOR_BACKENDS, loginBackend } from '../../auth/doctor.js';
import { findPassword, passfilePath } from '../../connection/pgpass.js';
import { notConfigured, ok, warning, type Outcome } from '../report.js';
import type { Session } from '../session.js';

/** Finds a login's password, or the credentials from which its tokens are made. */
export async function checkCredentials(session: Session, signal: AbortSignal): Promise<Outcome> {
  const backend = loginBackend(session.get('config'));
  if (backend === undefined) return await checkPassword(session);
  const check = backend.addition.checks?.credentials;
  return check ? await check(session, signal) : notConfigured('not checked separately: see token');
}

async function checkPassword(session: Session): Promise<Outcome> {
  const { host, port, database, user, password } = session.get('config');
  const file = passfilePath(session.env) ?? 'none';
  if (password) return ok('password from PGPASSWORD', { facts: { source: 'PGPASSWORD' } });
  const warnings: string[] = [];
  const found = await findPassword(
    { host, port, database, user },
    { env: session.env, warn: (message) => void warnings.push(message) },
  );
  session.text.hide(found);
  if (found) return ok(`password from ${file}`, { facts: { source: file } });
  const [ignored] = warnings;
  return warning(
    'password_missing',
    ignored === undefined ? `no password: no line of ${file} matches` : `no password: ${file}: ${ignored}`,
    `set PGPASSWORD or add a line to the password file (mode 0600), unless the server asks for none${tokenInstead()}`,
    { source: null, password_file: file },
  );
}

/** How to log in without a password instead, for each backend. */
function tokenInstead(): string {
  return DOCTOR_BACKENDS.map(({ label, addition }) => `; for ${label} give --${addition.flags[0].name}`).join(
    '',
  );
}
