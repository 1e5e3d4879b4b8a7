/** The stable codes of the errors this package makes. */
export type PgaugeErrorCode =
  | 'ERR_PGAUGE_CONFIG'
  | 'ERR_PGAUGE_AUTH'
  | 'ERR_PGAUGE_ACQUIRE_TIMEOUT'
  | 'ERR_PGAUGE_CONNECT_TIMEOUT'
  | 'ERR_PGAUGE_POOL_ENDED';

/** The base of every error this package makes: a stable `code`, the original in `cause`, never a secret, client or config. */
export abstract class PgaugeError extends Error {
  /** The stable code to test for. */
  abstract readonly code: PgaugeErrorCode;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A config, option or target that is refused before anything is dialled. */
export class ConfigError extends PgaugeError {
  readonly code = 'ERR_PGAUGE_CONFIG';
}

/** A dynamic credential could not be had; its message starts with `dynamic auth (<backend>): ` where a backend is known. */
export class AuthError extends PgaugeError {
  readonly code = 'ERR_PGAUGE_AUTH';
}

/** An acquire waited longer than its timeout; the cause is the last connect error, if there was one. */
export class AcquireTimeoutError extends PgaugeError {
  readonly code = 'ERR_PGAUGE_ACQUIRE_TIMEOUT';
}

/** One physical connection attempt took longer than `connectTimeoutMs`. */
export class ConnectTimeoutError extends PgaugeError {
  readonly code = 'ERR_PGAUGE_CONNECT_TIMEOUT';
}

/** The pool has ended: it hands out no more connections. */
export class PoolEndedError extends PgaugeError {
  readonly code = 'ERR_PGAUGE_POOL_ENDED';

  constructor() {
    super('Cannot use a pool after calling end on the pool');
  }
}
