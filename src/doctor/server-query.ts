import { failed, type Outcome } from './report.js';
import type { Session } from './session.js';

/** Runs a check that asks the server; a query that fails is the check's finding. */
export async function answering(session: Session, check: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await check();
  } catch (error) {
    return failed(
      'query_failed',
      session.text.ofError(error),
      'the login works and a query does not: run this again, and look at what stands between (a pooler, a proxy)',
    );
  }
}
