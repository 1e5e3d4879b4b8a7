import { sqlState } from '../foreign-error.js';
import { failed, type Outcome } from './report.js';
import type { Session } from './session.js';

const QUERY_CANCELED = '57014';

/** Runs a check that queries the server; a query that fails is the check's finding. */
export async function answering(session: Session, check: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await check();
  } catch (error) {
    const said = session.text.ofError(error);
    if (said.startsWith('Query read timeout')) {
      return failed(
        'timeout',
        'the server did not answer a query in time',
        "see in pg_stat_activity what the sessions of application 'pgauge doctor' wait for, and whether the server is overloaded",
      );
    }
    if (sqlState(error) === QUERY_CANCELED) {
      return failed(
        'timeout',
        said,
        'see statement_timeout of the role and the database, and in PGOPTIONS: queries that take longer are cancelled',
      );
    }
    return failed(
      'query_failed',
      said,
      'the login works and a query does not: run this again, and look at what stands between (a pooler, a proxy)',
    );
  }
}
