import { aside } from '../../auth/doctor.js';
import { CLOCK_LIMIT_MS, CLOCK_REMEDY, differenceText } from '../clock.js';
import { ok, warning, type Outcome } from '../report.js';
import { answering } from '../server-query.js';
import type { Session } from '../session.js';

const STATE = `
  select current_setting('server_version') as version,
         pg_catalog.pg_is_in_recovery() as standby,
         current_setting('default_transaction_read_only') = 'on' as read_only,
         (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`;

interface State {
  readonly version: string;
  readonly standby: boolean;
  readonly read_only: boolean;
  readonly now_ms: number;
}

/** Checks the server's version, whether it accepts writes, and its clock. */
export async function checkServer(session: Session): Promise<Outcome> {
  return await answering(session, async () => {
    const sentAt = Date.now();
    const state = await session.row<State>(STATE);
    const aheadMs = Math.round((sentAt + Date.now()) / 2 - state.now_ms);
    const { kindIsJudged = false } = session.settings;
    return describe(state, aheadMs, session.get('config').dynamicAuth !== undefined, kindIsJudged);
  });
}

function describe(
  { version, standby, read_only, now_ms }: State,
  aheadMs: number,
  byToken: boolean,
  kindIsJudged: boolean,
): Outcome {
  const clock = `clock ${differenceText(aheadMs)} the server's`;
  const role = standby ? 'standby' : read_only ? 'primary, read-only by default' : 'primary';
  const text = `PostgreSQL ${version}, ${role}; ${clock}`;
  const facts = {
    version,
    in_recovery: standby,
    default_read_only: read_only,
    server_time: new Date(now_ms).toJSON(),
    clock_ahead_ms: aheadMs,
  };
  if (standby && !kindIsJudged) {
    return warning(
      'standby',
      text,
      `it takes no writes: dial the primary${aside('primary')}, unless reading is all that is wanted`,
      facts,
    );
  }
  if (read_only && !standby) {
    return warning(
      'read_only',
      text,
      'transactions take no writes unless they ask to: see default_transaction_read_only of the role, the database and the server (a full disk can set it)',
      facts,
    );
  }
  if (byToken && Math.abs(aheadMs) >= CLOCK_LIMIT_MS) return warning('clock_skew', text, CLOCK_REMEDY, facts);
  return ok(text, { facts });
}
