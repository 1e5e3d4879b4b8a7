import { loginBackend } from '../../auth/doctor.js';
import { newDynamicAuthFunc } from '../../auth/index.js';
import type { BeforeConnect } from '../../hooks.js';
import { newPool } from '../../new-pool.js';
import { LOG } from '../../telemetry/logs/records.js';
import { loginFailure } from '../login-failure.js';
import { STEP_SHARE, ok, type Outcome } from '../report.js';
import type { Session } from '../session.js';

const APPLICATION_NAME = 'pgauge doctor';

/** Logs in through a pool, as an application would. */
export async function checkLogin(session: Session, signal: AbortSignal): Promise<Outcome> {
  const config = session.get('config');
  const { ssl } = session.get('poolSettings');
  const signs = config.dynamicAuth !== undefined && session.settings.signAt !== undefined;
  const limitMs = session.settings.timeoutMs;
  const attempt: { phase?: unknown; hint?: unknown } = {};
  const ignore = (): void => undefined;
  const pool = await newPool(signs ? { ...config, dynamicAuth: undefined } : config, {
    ...(ssl && {
      ssl: { ...(ssl.ca && { ca: ssl.ca }), ...(ssl.servername && { servername: ssl.servername }) },
    }),
    ...(signs && { beforeConnect: await signFor(session) }),
    poolName: APPLICATION_NAME,
    pg: { application_name: APPLICATION_NAME },
    connectTimeoutMs: limitMs,
    acquireTimeoutMs: limitMs,
    // A query that hangs leaves time for the next one, which gets another connection.
    queryTimeoutMs: Math.floor(limitMs * STEP_SHARE),
    endTimeoutMs: 1,
    logger: {
      debug: ignore,
      info: ignore,
      // The step and the hint of the attempt are only in its log record.
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
    return loginFailure({
      error,
      said: session.text.ofError(error),
      provider: loginBackend(config)?.name,
      phase: textOf(attempt.phase),
      gaveUp: signal.aborted,
      hint: textOf(attempt.hint),
      user: config.user,
      host: session.endpoint.host,
      database: config.database,
      passwordOrigin: session.settings.origins.password,
      clock: session.find('clock'),
    });
  }
}

/** Signs for the database's own name, and dials the given host. */
async function signFor(session: Session): Promise<BeforeConnect> {
  const config = session.get('config');
  const auth = await newDynamicAuthFunc(config, config.user);
  return async (target, context) => {
    const signed = { ...target, ...session.endpoint };
    await auth(signed, context);
    target.password = signed.password;
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
