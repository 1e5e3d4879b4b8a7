/** The stable codes of this package's errors. */
export type PgaugeErrorCode =
  | 'ERR_PGAUGE_CONFIG'
  | 'ERR_PGAUGE_AUTH'
  | 'ERR_PGAUGE_ACQUIRE_TIMEOUT'
  | 'ERR_PGAUGE_CONNECT_TIMEOUT'
  | 'ERR_PGAUGE_QUERY_TIMEOUT'
  | 'ERR_PGAUGE_WRONG_HOST'
  | 'ERR_PGAUGE_POOL_BUSY'
  | 'ERR_PGAUGE_POOL_ENDED'
  | 'ERR_PGAUGE_OPEN_TRANSACTION'
  | 'ERR_PGAUGE_OUTCOME_UNKNOWN';

/**
 * On the prototype of each class below: its name, by which other copies of this package in the process recognise it.
 */
const CLASS = Symbol.for('pgauge.error');
type Named = Readonly<Partial<Record<typeof CLASS, string>>>;

/** Sets the name of a class explicitly, because a minifier renames the declaration. */
function named(own: { readonly prototype: object }, name: string): void {
  Object.defineProperty(own, 'name', { value: name, configurable: true });
  Object.defineProperty(own.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(own.prototype, CLASS, { value: name });
}

/**
 * The base of all errors of this package: a stable `code`, the original error in `cause`, never a secret, client or
 * config. `instanceof` also works for errors of another copy of this package in the process.
 */
export abstract class PgaugeError extends Error {
  static {
    named(this, 'PgaugeError');
  }

  /** The stable code to test for. */
  abstract readonly code: PgaugeErrorCode;

  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    // Only the classes of this file have it; a user's subclass is not recognised by name.
    if (!Object.hasOwn(this.prototype, CLASS)) return false;
    const { [CLASS]: name } = this.prototype as Named;
    for (let link: unknown = value; typeof link === 'object' && link !== null;) {
      if (Object.hasOwn(link, CLASS) && (link as Named)[CLASS] === name) return true;
      link = Object.getPrototypeOf(link);
    }
    return false;
  }
}

/** A config, option or target was refused before anything was dialled. */
export class ConfigError extends PgaugeError {
  static {
    named(this, 'ConfigError');
  }
  readonly code = 'ERR_PGAUGE_CONFIG';
}

/** No dynamic credential could be obtained; with a known backend, the message starts `dynamic auth (<backend>): `. */
export class AuthError extends PgaugeError {
  static {
    named(this, 'AuthError');
  }
  readonly code = 'ERR_PGAUGE_AUTH';
}

/** An acquire waited longer than its timeout; the cause is the last connect error, if there was one. */
export class AcquireTimeoutError extends PgaugeError {
  static {
    named(this, 'AcquireTimeoutError');
  }
  readonly code = 'ERR_PGAUGE_ACQUIRE_TIMEOUT';
}

/** One physical connection attempt took longer than `connectTimeoutMs`. */
export class ConnectTimeoutError extends PgaugeError {
  static {
    named(this, 'ConnectTimeoutError');
  }
  readonly code = 'ERR_PGAUGE_CONNECT_TIMEOUT';
}

/** A query took longer than `queryTimeoutMs`; the message is node-postgres' own, because programs compare it. */
export class QueryTimeoutError extends PgaugeError {
  static {
    named(this, 'QueryTimeoutError');
  }
  readonly code = 'ERR_PGAUGE_QUERY_TIMEOUT';
  /** The limit that passed, in milliseconds. */
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super('Query read timeout');
    this.timeoutMs = timeoutMs;
  }
}

/** No host's server is of the kind that `targetSessionAttrs` requires, and at least one answered. */
export class WrongHostError extends PgaugeError {
  static {
    named(this, 'WrongHostError');
  }
  readonly code = 'ERR_PGAUGE_WRONG_HOST';
  /** The `targetSessionAttrs` in force. */
  readonly wanted: string;

  constructor(found: string, wanted: string, options?: ErrorOptions) {
    super(`${found} (targetSessionAttrs is ${wanted})`, options);
    this.wanted = wanted;
  }
}

/** An acquire was refused because `maxPending` acquires were already waiting. */
export class PoolBusyError extends PgaugeError {
  static {
    named(this, 'PoolBusyError');
  }
  readonly code = 'ERR_PGAUGE_POOL_BUSY';

  constructor(pending: number) {
    super(`too many acquires are waiting for a connection: ${pending}, as many as maxPending allows`);
  }
}

/** The pool has ended: it hands out no more connections. */
export class PoolEndedError extends PgaugeError {
  static {
    named(this, 'PoolEndedError');
  }
  readonly code = 'ERR_PGAUGE_POOL_ENDED';

  constructor() {
    super('Cannot use a pool after calling end on the pool');
  }
}

/** A query of `pool.query` succeeded but left a transaction open, which was rolled back by closing the connection. */
export class OpenTransactionError extends PgaugeError {
  readonly code = 'ERR_PGAUGE_OPEN_TRANSACTION';

  constructor() {
    super(
      'pool.query left a transaction open, and it was rolled back: the next query may run on another connection. ' +
        'Acquire a client with pool.connect(), run BEGIN, the queries and COMMIT on it, and release it',
    );
  }
}

/**
 * A pipelined query's connection was lost after the query was sent: the server may have run it; the cause is the loss.
 */
export class OutcomeUnknownError extends PgaugeError {
  static {
    named(this, 'OutcomeUnknownError');
  }
  readonly code = 'ERR_PGAUGE_OUTCOME_UNKNOWN';

  constructor(cause: unknown) {
    super('the connection was lost before this pipelined query was answered: the server may have run it', {
      cause,
    });
  }
}
