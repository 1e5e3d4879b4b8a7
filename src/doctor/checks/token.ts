import { loginBackend } from '../../auth/doctor.js';
import { newAuthToken } from '../../auth/index.js';
import { failed, notConfigured, ok, type Outcome } from '../report.js';
import type { Session } from '../session.js';

/** Issues one token as a connection would. */
export async function checkToken(session: Session, signal: AbortSignal): Promise<Outcome> {
  const config = session.get('config');
  const backend = loginBackend(config);
  if (backend === undefined) return notConfigured('not needed: logs in with a password');
  let token: string;
  try {
    token = await newAuthToken({ ...config, ...session.endpoint }, config.user, { signal });
  } catch (error) {
    return failed('token_failed', session.text.ofError(error), 'look at the credentials above');
  }
  session.text.hide(token);
  const { addition } = backend;
  if (addition.describeToken) return await addition.describeToken(token, session, signal);
  const { host, port } = session.endpoint;
  return ok(`for ${config.user} at ${host}:${port}`);
}
