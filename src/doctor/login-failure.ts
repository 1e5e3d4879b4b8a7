import { pg } from '../connection/driver.js';
import { sqlState } from '../foreign-error.js';
import { CLOCK_LIMIT_MS, differenceText } from './clock.js';
import { failed, type Outcome } from './report.js';

/** A login that was not let in, and what is known of it. */
export interface FailedLogin {
  readonly error: unknown;
  /** Its message, fit to print. */
  readonly said: string;
  readonly usedToken: boolean;
  /** The step at which the attempt failed. */
  readonly phase: string | undefined;
  /** It did not fail, it was given up. */
  readonly gaveUp: boolean;
  /** What the library's own log would say of it. */
  readonly hint: string | undefined;
  readonly user: string;
  readonly database: string;
  readonly passwordOrigin: string | undefined;
  readonly clock: { readonly aheadMs: number; readonly of: string } | undefined;
}

type Code = Parameters<typeof failed>[0];

/** Says what a failed login means and what to do about it. */
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

function explain(state: string, login: FailedLogin): [Code, string] {
  const { user, database, said } = login;
  if (state.startsWith('28')) return rejected(state, login);
  switch (state) {
    case '3D000':
      return ['database_missing', `create the database ${database}, or name one that exists (--database)`];
    case '42501':
      return ['database_denied', `GRANT CONNECT ON DATABASE ${named(database)} TO ${named(user)};`];
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

/** As SQL writes it; quoted always, for a name may be a word of SQL's own. */
function named(name: string): string {
  return pg.escapeIdentifier(name);
}

/** SQLSTATE class 28. */
function rejected(state: string, login: FailedLogin): [Code, string] {
  const { user, database, said, usedToken } = login;
  if (/no pg_hba\.conf entry/.test(said)) {
    return [
      'no_pg_hba_entry',
      `pg_hba.conf has no line that lets ${user} into ${database} from here with this encryption: add one, or use another --ssl-mode`,
    ];
  }
  if (usedToken && state === '28P01') {
    // Members of rds_iam are asked for a token, and PAM judges it; this server compared it with a password.
    return [
      'not_granted_rds_iam',
      `the server took the token for a password: check the user's name, and GRANT rds_iam TO ${named(user)};`,
    ];
  }
  if (usedToken) return ['token_rejected', tokenRemedy(login)];
  if (/\bPAM\b/.test(said)) {
    return [
      'password_for_iam_user',
      `${user} is a member of rds_iam and logs in with tokens only: give --region (in the config: dynamicAuth), or REVOKE rds_iam FROM ${named(user)};`,
    ];
  }
  if (state === '28P01') {
    return [
      'password_wrong',
      `check the user and its password, which came from ${login.passwordOrigin ?? 'the password file'}`,
    ];
  }
  return ['login_refused', `check that ${user} exists and may log in: ALTER ROLE ${named(user)} LOGIN;`];
}

function tokenRemedy({ hint, clock }: FailedLogin): string {
  const more =
    'Look also at the host (the endpoint itself, not an alias), the region, that IAM authentication is on, and that the key is still active';
  const known =
    clock === undefined || Math.abs(clock.aheadMs) < CLOCK_LIMIT_MS
      ? ''
      : `this machine's clock ${differenceText(clock.aheadMs)} the ${clock.of}: set it first. `;
  return `${known}${hint ?? 'the server rejected the token'}. ${more}`;
}

/** Nothing came from the server in its own words. */
function unsaid(login: FailedLogin): [Code, string] {
  if (login.hint !== undefined) {
    return ['password_missing', `${login.hint}; a member of rds_iam needs a token instead: give --region`];
  }
  if ((login.error as { code?: unknown } | null)?.code === 'ERR_PGAUGE_CONNECT_TIMEOUT') {
    return ['timeout', 'see whether the server is overloaded or hangs'];
  }
  return [
    'login_failed',
    `the connection failed at the step ${login.phase ?? 'login'}: look at the server's log`,
  ];
}
