import { RDS_IAM_HINT } from '../../auth/aws/rds-iam.js';
import { newPool } from '../../new-pool.js';
import { connectHint } from '../../telemetry/logs/hints.js';
import { LOG } from '../../telemetry/logs/records.js';
import { loginFailure, type FailedLogin } from '../login-failure.js';
import { STEP_SHARE, ok, type Outcome } from '../report.js';
import type { Session } from '../session.js';

const APPLICATION_NAME = 'pgauge doctor';

/** Logs in through a pool, as an application would. */
export async function checkLogin(session: Session, signal: AbortSignal): Promise<Outcome> {
  const config = session.get('config');
  const { ssl } = session.get('poolSettings');
  const limitMs = session.settings.timeoutMs;
  const attempt: { phase?: unknown } = {};
  const ignore = (): void => undefined;
  const pool = await newPool(config, {
    ...(ssl?.ca && { ssl: { ca: ssl.ca } }),
    poolName: APPLICATION_NAME,
    pg: { application_name: APPLICATION_NAME },
    connectTimeoutMs: limitMs,
    acquireTimeoutMs: limitMs,
    // So that a query that hangs leaves time for the next one, which has a connection of its own.
    queryTimeoutMs: Math.floor(limitMs * STEP_SHARE),
    endTimeoutMs: 1,
    logger: {
      debug: ignore,
      info: ignore,
      // The step of the attempt is only in its record.
      warn: (fields, message) => {
        if (message === LOG.connectFailed.message) Object.assign(attempt, fields);
      },
    },
  });
  try {
    const client = await pool.connect({ signal });
    client.release();
    session.set('pool', pool);
    return ok(`${config.user} is logged in`);
  } catch (error) {
    await pool.end();
    const usedToken = config.dynamicAuth !== undefined;
    const failedLogin: FailedLogin = {
      error,
      said: session.text.ofError(error),
      usedToken,
      phase: typeof attempt.phase === 'string' ? attempt.phase : undefined,
      gaveUp: signal.aborted,
      hint: connectHint(error, usedToken ? RDS_IAM_HINT : undefined),
      user: config.user,
      database: config.database,
      passwordOrigin: session.settings.origins.password,
      clock: session.find('clock'),
    };
    return loginFailure(failedLogin);
  }
}
