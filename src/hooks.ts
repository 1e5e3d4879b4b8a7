import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { PoolClient } from 'pg';

/** The server and login of one connection attempt; a new copy for each attempt, so changes affect that attempt only. */
export interface ConnectTarget {
  /** Host name or address to dial. */
  host: string;
  /** TCP port, 1 to 65535. */
  port: number;
  /** Role to log in as. */
  user: string;
  /** Password or token; empty when none is known. */
  password: string;
  /** Database to open. */
  database: string;
  /** TLS options of this attempt, or `false` for an unencrypted connection. */
  ssl: false | ConnectionOptions;
}

/** Is notified of the fetches of a {@link CredentialsSource}. */
export interface CredentialsObserver {
  /** A fetch ended after `durationMs` milliseconds; `error` is set if it failed. Answers from memory are not reported. */
  fetched(provider: string, durationMs: number, error?: unknown): void;
}

/**
 * Credentials that are fetched and cached, to sign tokens or as passwords for several logins, perhaps of several pools.
 */
export interface CredentialsSource {
  /** The provider whose logins use them, as in {@link TokenSource}. */
  readonly provider: string;
  /** Subscribes to fetches; returns a function that unsubscribes. Errors of an observer are ignored. */
  observe(observer: CredentialsObserver): () => void;
  /** Unix time in milliseconds at which the current credentials expire; `undefined` if there are none or they do not expire. */
  expireAtMs(): number | undefined;
}

/** A password or token for one login. */
export interface IssuedLogin {
  /** The password or token; not empty. */
  readonly password: string;
  /** The role that logs in with it; default the role of the attempt. */
  readonly user?: string | undefined;
  /** When the password expires; unset if unknown or never. */
  readonly expiresAt?: Date | undefined;
}

/** Describes the source of a short-lived password. */
export interface TokenSource {
  /** The name of the provider in telemetry: the backend's name as in `dynamicAuth`, or that of a custom one. */
  readonly provider: string;
  /** The cloud region the token is signed for, if any. */
  readonly region?: string;
  /**
   * What to check first when the server rejects a login with this source's token, for the log, without secrets;
   * default none.
   */
  readonly hint?: string;
  /**
   * The credentials behind its tokens, whose fetches and expiry are reported by the pools that use them; default none.
   */
  readonly credentials?: readonly CredentialsSource[];
  /** Whether a connection is retired when the password that opened it expires; default false. */
  readonly retireAtExpiry?: boolean;
  /** Whether to retry a rejected login once in the same attempt if this source returns another one; default false. */
  readonly retryChanged?: boolean;
  /** Called when the server rejected a login that used this source's token (SQLSTATE class 28). */
  rejected?(): void;
}

/** The connection attempt for which a hook runs. */
export interface ConnectContext {
  /** Aborted when the attempt's deadline (`connectTimeoutMs`) has passed or the pool ends. */
  readonly signal: AbortSignal;
  /**
   * Runs `refresh`, which obtains one short-lived password, and measures it as this attempt's token refresh. Throws
   * AuthError for an answer that cannot be sent as a password.
   */
  refreshToken(source: TokenSource, refresh: () => Promise<string>): Promise<string>;
  /** Sets the expiry of this attempt's password, for sources and pools with `retireAtExpiry`. */
  passwordExpires?(at: Date): void;
}

/** Runs before every physical connection attempt, before dialling; its error rejects the acquirer unchanged. */
export type BeforeConnect = (target: ConnectTarget, context: ConnectContext) => void | Promise<void>;

/** The destination of one connection attempt or cancel request. */
export interface DialTarget {
  /** Host name or address of the database, as `beforeConnect` left it. */
  readonly host: string;
  /** TCP port of the database, 1 to 65535. */
  readonly port: number;
  /** Role to log in as. */
  readonly user: string;
  /** Database to open. */
  readonly database: string;
  /** Whether the pool encrypts the stream itself, unless the answer marks the transport as encrypted already. */
  readonly tls: boolean;
}

/** A stream to the server, and whether it is encrypted already. */
export interface DialedStream {
  /** The stream, which the pool then owns: connected, or a socket that is connecting. */
  readonly stream: Duplex;
  /** Whether the transport is encrypted, so that the pool adds no TLS and may send a token; default false. */
  readonly encrypted?: boolean | undefined;
}

/**
 * Provides the transport of one connection attempt, or of one cancel request, instead of a TCP socket. Its error
 * rejects the acquirer unchanged; an answer that is not a stream rejects with ConfigError. `signal` is aborted when
 * the attempt's deadline (`connectTimeoutMs`) has passed or the pool ends; a stream that is returned later is
 * destroyed.
 */
export type DialFunction = (
  target: DialTarget,
  context: { readonly signal: AbortSignal },
) => Duplex | DialedStream | Promise<Duplex | DialedStream>;

/** Runs once on every new connection before its first use; a failure closes the connection and rejects the acquirer. */
export type AfterConnect = (
  client: PoolClient,
  context: { readonly signal: AbortSignal },
) => void | Promise<void>;

/**
 * Runs before every hand-over of a client, in the async context of the code that acquires it, within the acquire's time
 * limit: `signal` is aborted when that has passed. A failure closes the connection and rejects the acquirer.
 */
export type OnAcquire = (
  client: PoolClient,
  context: { readonly signal: AbortSignal },
) => void | Promise<void>;

/**
 * Resets a released session before the next acquirer gets it: with `DISCARD ALL`, or a function that runs the
 * statements. If it fails or takes longer than `acquireTimeoutMs` (30 s if that is off), the connection is closed.
 */
export type ResetSession = 'discard' | ((client: PoolClient) => void | Promise<void>);

/** The part of a pino logger that is used: fields first, message second. */
export interface Logger {
  /** Logs routine events: statistics, connections opened and closed. */
  debug(fields: object, message: string): void;
  /** Logs rare events: a pool was made, a pool has ended. */
  info(fields: object, message: string): void;
  /** Logs something that needs attention. */
  warn(fields: object, message: string): void;
}

/**
 * Which acquires get a span: those that have to wait (`auto`), warm ones too (`always`), none (`never`).
 * @useDeclaredType
 */
export type AcquireSpan = 'auto' | 'always' | 'never';

/** The query to summarize. */
export interface QueryToSummarize {
  /** The SQL text, including its literals. */
  readonly text: string;
  /** The name of the prepared statement, if it has one. */
  readonly name?: string | undefined;
}

/** The telemetry of each query. */
export interface QueryTelemetry {
  /** Whether the histogram `db.client.operation.duration` is recorded; default true. */
  readonly metrics?: boolean | undefined;
  /** Which queries get a span: all (`always`), those called below an active span (`child`), or none (`never`); default `always`. */
  readonly spans?: 'always' | 'child' | 'never' | undefined;
  /**
   * Which spans have `db.query.text`: with `parameterized`, those of queries with `values` or a `name`, as written;
   * with `sanitized`, also all others, with every literal replaced by `?`; with `never`, none. Default `parameterized`.
   */
  readonly text?: 'parameterized' | 'sanitized' | 'never' | undefined;
  /** Whether the histogram `db.client.response.returned_rows` is recorded; default false. */
  readonly rows?: boolean | undefined;
  /**
   * Replaces the built-in summary, which is still used when this one returns `undefined`, throws, or returns anything
   * but a text of 1 to 255 characters without control characters. Called once per text and name, and its result is
   * cached. Default the built-in summary.
   */
  readonly summary?: ((query: QueryToSummarize) => string | undefined) | undefined;
  /**
   * The SQL comment that is appended to each query, none if its text ends in one. `service`: the driver, the application
   * (`pg.application_name`, else PGAPPNAME, else `pg.fallback_application_name`) and the pool, the same for every query; `trace`:
   * for statements without a name also the `traceparent` of the sampled span. Default false.
   */
  readonly comment?: false | 'service' | 'trace' | undefined;
}
