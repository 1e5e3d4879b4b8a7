/** The checks in the order in which they run and are shown; ids are stable. */
export const STEP_TITLES = {
  configuration: 'configuration',
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  region: 'region',
  credentials: 'credentials',
  token: 'token',
  login: 'login',
  rds_iam: 'rds_iam',
  server: 'server',
  headroom: 'headroom',
  cancel: 'cancel',
  otel: 'OTel endpoint',
} as const;

/** One check may take this share of the whole time, so that a check that hangs leaves time for the others. */
export const STEP_SHARE = 1 / 3;

/** The stable name of a check. */
export type StepId = keyof typeof STEP_TITLES;

export type Status = 'ok' | 'warning' | 'failed' | 'skipped';

/** The findings by their codes for machines; codes are stable, and `docs/doctor.md` lists them. */
export const CODES = {
  ok: ['ok'],
  warning: [
    'addresses_unreachable',
    'tls_disabled',
    'tls_not_verified',
    'tls_expires_soon',
    'region_mismatch',
    'password_missing',
    'credentials_expire_soon',
    'credentials_expired',
    'clock_skew',
    'user_mismatch',
    'not_member',
    'member_with_password',
    'role_missing',
    'standby',
    'read_only',
    'headroom_small',
    'cancel_ineffective',
    'otel_unexpected_answer',
  ],
  failed: [
    'config_invalid',
    'packages_missing',
    'host_unknown',
    'dns_unavailable',
    'lookup_failed',
    'port_closed',
    'no_answer',
    'unreachable',
    'tls_not_offered',
    'tls_version',
    'tls_wrong_name',
    'tls_expired',
    'tls_not_yet_valid',
    'tls_unknown_ca',
    'tls_rejected',
    'not_postgres',
    'region_invalid',
    'region_unknown',
    'credentials_missing',
    'credentials_unavailable',
    'token_failed',
    'token_rejected',
    'not_granted_rds_iam',
    'password_missing',
    'password_wrong',
    'password_for_iam_user',
    'no_pg_hba_entry',
    'login_refused',
    'database_missing',
    'database_denied',
    'connections_full',
    'server_unavailable',
    'login_failed',
    'query_failed',
    'pool_too_large',
    'no_wanted_host',
    'otel_config_invalid',
    'otel_unreachable',
    'otel_unauthorized',
    'otel_wrong_path',
    'otel_wrong_protocol',
    'otel_tls_failed',
    'timeout',
    'internal_error',
  ],
  skipped: ['earlier_step_failed', 'not_configured', 'out_of_time'],
} as const satisfies Record<Status, readonly string[]>;

type OutcomeOf<S extends Status> = {
  readonly status: S;
  readonly code: (typeof CODES)[S][number];
  /** What was found, one line of plain text. */
  readonly found: string;
  /** What to do about it; unset when nothing needs to be done. */
  readonly remedy?: string;
  /** The finding for machines; keys in snake_case, never a secret. */
  readonly facts?: Facts;
};

/** The outcome of one check. */
export type Outcome = { [S in Status]: OutcomeOf<S> }[Status];

export type Facts = Readonly<Record<string, unknown>>;

/** One line of the report. */
export type StepResult = Outcome & {
  readonly id: StepId;
  readonly durationMs: number;
  /** The failed step that kept this one from running. */
  readonly because?: StepId;
};

/** All findings. */
export interface Report {
  readonly startedAt: Date;
  readonly durationMs: number;
  /** The requested config, without secrets. */
  readonly target: Facts;
  readonly steps: readonly StepResult[];
}

export type Finding = Pick<Outcome, 'facts' | 'remedy'>;

export function ok(found: string, finding: Finding = {}): Outcome {
  return { status: 'ok', code: 'ok', found, ...finding };
}

export function warning(
  code: OutcomeOf<'warning'>['code'],
  found: string,
  remedy: string,
  facts: Facts = {},
): Outcome {
  return { status: 'warning', code, found, remedy, facts };
}

export function failed(
  code: OutcomeOf<'failed'>['code'],
  found: string,
  remedy: string,
  facts: Facts = {},
): Outcome {
  return { status: 'failed', code, found, remedy, facts };
}

export function notConfigured(found: string): Outcome {
  return { status: 'skipped', code: 'not_configured', found };
}

/** 0 when the set-up works, even with warnings; 1 when a check failed, or did not run because time was over. */
export function exitCode(steps: readonly Pick<StepResult, 'status' | 'code'>[]): 0 | 1 {
  return steps.some(({ status, code }) => status === 'failed' || code === 'out_of_time') ? 1 : 0;
}
