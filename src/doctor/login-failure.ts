import { additional, DOCTOR_BACKENDS } from '../auth/doctor.js';
import { isRejectedLogin, sqlState } from '../foreign-error.js';
import type { DoctorAddition, Explanation, FailedLogin } from './addition.js';
import { CLOCK_LIMIT_MS, differenceText } from './clock.js';
import { failed, type Outcome } from './report.js';
import { sqlName } from './sql-name.js';

/** Explains a failed login and what to do about it. */
export function loginFailure(login: FailedLogin): Outcome {
  const state = sqlState(login.error);
  const facts = { sqlstate: state ?? null, phase: login.phase ?? null };
  if (login.gaveUp) {
    return failed(
      'timeout',
      'the login was not answered in time',
      'see whether the server is overloaded or hangs',
      facts,
    );
  }
  const [code, remedy] = state === undefined ? unsaid(login) : explain(state, login);
  return failed(code, login.said, remedy, facts);
}

function explain(state: string, login: FailedLogin): Explanation {
  const { user, database, said } = login;
  if (isRejectedLogin(login.error)) return rejected(state, login);
  switch (state) {
    case '3D000':
      return ['database_missing', `create the database ${database}, or name one that exists (--database)`];
    case '42501':
      return ['database_denied', `GRANT CONNECT ON DATABASE ${sqlName(database)} TO ${sqlName(user)};`];
    case '53300':
      return [
        'connections_full',
        "the server has no connection left: end what holds them, lower the pools' maximum, or raise max_connections",
      ];
    default:
      if (state.startsWith('57P')) {
        return ['server_unavailable', 'the server is starting or shutting down: wait and try again'];
      }
      return ['login_failed', login.hint ?? `look up what ${said.slice(0, 5)} means in the server's log`];
  }
}

/** The server accepted neither the password nor the token. */
function rejected(state: string, login: FailedLogin): Explanation {
  const { user, database, said, provider } = login;
  if (/no pg_hba\.conf entry/.test(said)) {
    return [
      'no_pg_hba_entry',
      `pg_hba.conf has no line that lets ${user} into ${database} from here with this encryption: add one, or use another --ssl-mode`,
    ];
  }
  const additions = additionsFor(login);
  for (const addition of additions) {
    const explained = addition.explainRejection?.(state, login);
    if (explained) return explained;
  }
  if (provider !== undefined) return ['token_rejected', tokenRemedy(login, additions)];
  if (state === '28P01') {
    return [
      'password_wrong',
      `check the user and its password, which came from ${login.passwordOrigin ?? 'the password file'}`,
    ];
  }
  return ['login_refused', `check that ${user} exists and may log in: ALTER ROLE ${sqlName(user)} LOGIN;`];
}

/** The addition of the backend whose token was used; after a password, those of all, as the user may need a token. */
function additionsFor({ provider }: FailedLogin): readonly DoctorAddition[] {
  return DOCTOR_BACKENDS.filter(({ name }) => provider === undefined || name === provider).map(
    ({ addition }) => addition,
  );
}

function tokenRemedy(login: FailedLogin, additions: readonly DoctorAddition[]): string {
  const { hint, clock } = login;
  const known =
    clock === undefined || Math.abs(clock.aheadMs) < CLOCK_LIMIT_MS
      ? ''
      : `this machine's clock ${differenceText(clock.aheadMs)} the ${clock.of}: set it first. `;
  const more = additions.flatMap((addition) => addition.afterRejection?.(login) ?? []);
  return known + [hint ?? 'the server rejected the token', ...more].join('. ');
}

/** The server gave no reason. */
function unsaid(login: FailedLogin): Explanation {
  if (login.hint !== undefined) {
    return ['password_missing', [login.hint, ...additional('withoutPassword')].join('; ')];
  }
  if ((login.error as { code?: unknown } | null)?.code === 'ERR_PGAUGE_CONNECT_TIMEOUT') {
    return ['timeout', 'see whether the server is overloaded or hangs'];
  }
  return [
    'login_failed',
    `the connection failed at the step ${login.phase ?? 'login'}: look at the server's log`,
  ];
}
