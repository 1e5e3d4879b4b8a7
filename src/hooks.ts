import type { ConnectionOptions } from 'node:tls';
import type { PoolClient } from 'pg';

/** Where and as whom one connection attempt will log in; a fresh copy for each attempt, so changes hold for that attempt only. */
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

/** What a source of short-lived passwords says of itself when it refreshes a token. */
export interface TokenSource {
  /** The backend's name, as in `dynamicAuth`: `awsRdsIam`. */
  readonly provider: string;
  /** The cloud region the token is signed for, where there is one. */
  readonly region?: string;
  /** Called when the server rejected a login that used this source's token (SQLSTATE class 28). */
  rejected?(): void;
}

/** What a hook is told of the attempt it runs for. */
export interface ConnectContext {
  /** Aborted when the attempt's deadline (`connectTimeoutMs`) has passed or the pool ends. */
  readonly signal: AbortSignal;
  /** Runs `refresh`, which obtains one short-lived password, and measures it as this attempt's token refresh. */
  refreshToken(source: TokenSource, refresh: () => Promise<string>): Promise<string>;
}

/** Runs before every physical connection attempt, before anything is dialled; what it throws rejects the acquirer as it is. */
export type BeforeConnect = (target: ConnectTarget, context: ConnectContext) => void | Promise<void>;

/** Runs once on every new connection before its first use; a failure closes the connection and rejects the acquirer. */
export type AfterConnect = (
  client: PoolClient,
  context: { readonly signal: AbortSignal },
) => void | Promise<void>;

/** The part of a pino logger that is used: fields first, message second. */
export interface Logger {
  /** Takes a record of routine: statistics, connections that come and go. */
  debug(fields: object, message: string): void;
  /** Takes a record of what happens rarely: a pool made, a pool ended. */
  info(fields: object, message: string): void;
  /** Takes a record of what should not be. */
  warn(fields: object, message: string): void;
}

/** Why a connection was closed: the values of `pgauge.connection.close_reason`. */
export type CloseReason =
  | 'idle'
  | 'lifetime'
  | 'server_closed'
  | 'network'
  | 'timeout'
  | 'hook'
  | 'auth'
  | 'tx_open'
  | 'busy'
  | 'read_only'
  | 'max_uses'
  | 'released_with_error'
  | 'pool_end';

/** The step of a connection attempt at which it failed. */
export type ConnectPhase = 'hook' | 'token' | 'dns' | 'tcp' | 'tls' | 'auth' | 'init';

/** Why an acquire could not be served at once. */
export type AcquireReason = 'new_connection' | 'exhausted';

/** The state a pool shows to its observer: plain numbers, read at collection; all *current*. */
export interface PoolGauges {
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  /** The maximum number of connections. */
  readonly limit: number;
  /** `minConns`. */
  readonly idleMin: number;
  /** Acquirers waiting now. */
  readonly pending: number;
  /** Age of the longest checkout in milliseconds, 0 if none. */
  readonly longestUseMs: number;
  /** Age of the oldest waiter in milliseconds, 0 if none. */
  readonly longestWaitMs: number;
  /** Cumulative: acquires that timed out. */
  readonly acquireTimeouts: number;
  /** Cumulative: acquires that waited for a slot or constructed. */
  readonly emptyAcquires: number;
  /** Cumulative: milliseconds those waited. */
  readonly emptyAcquireWaitMs: number;
  /** Cumulative: acquires that timed out or were aborted. */
  readonly canceledAcquires: number;
}

/**
 * All that a pool reports. Telemetry implements it, the pool calls it, and neither knows the other.
 * No member may throw: an implementation guards what it calls.
 */
export interface PoolObserver {
  /** A connection was handed over at once; `waitMs` from call to hand-over. Called in the acquirer's async context. */
  acquired(waitMs: number): void;
  /** An acquire starts that may have to wait. Called in the acquirer's async context. */
  acquireStarted(): AcquireObserver;
  /** A checkout ended after `useMs`: released, or its connection was lost. */
  released(useMs: number): void;
  /** A physical connection attempt starts; `cause` is the acquire it serves, if it serves one. */
  connecting(cause: AcquireObserver | undefined): AttemptObserver;
  /** An established connection was closed, `ageMs` after it was opened. */
  closed(reason: CloseReason, ageMs: number, error?: unknown): void;
  /** A checked-out client was held for longer than `leakDetectionMs`; the stack is its acquirer's. */
  leakSuspected(heldMs: number, stack: string): void;
  /** A suspected leak came back after all. */
  leakReturned(heldMs: number): void;
  /** `endTimeoutMs` passed and checked-out clients were destroyed; their ages in milliseconds, longest first. */
  endForced(heldMs: readonly number[]): void;
  /** The pool has ended and every socket is closed. */
  ended(): void;
}

/** One acquire that could not be served at once. */
export interface AcquireObserver {
  /** It has to wait, and why; called at most once, before any attempt it causes. */
  waiting(reason: AcquireReason): void;
  /** It got its connection after `waitMs`. */
  acquired(waitMs: number): void;
  /** It failed after `waitMs`: timed out, aborted, its dial failed, or the pool ended. */
  failed(waitMs: number, error: unknown): void;
}

/** One physical connection attempt, in the order of its members. */
export interface AttemptObserver {
  /** Runs the user's `beforeConnect` as part of this attempt. */
  hook<T>(run: () => Promise<T>): Promise<T>;
  /** Runs a token refresh as part of this attempt. */
  token<T>(source: TokenSource, refresh: () => Promise<T>): Promise<T>;
  /** The final address, known once the hook has run. */
  dialing(target: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly tls: boolean;
  }): void;
  /** The peer's address, known once TCP is connected. */
  peer(address: string): void;
  /** Runs `afterConnect` as part of this attempt. */
  init<T>(run: () => Promise<T>): Promise<T>;
  /** It succeeded, `durationMs` after it started. */
  connected(durationMs: number): void;
  /** It failed at `phase`; `close` is the reason counted when a socket had been opened. */
  failed(durationMs: number, error: unknown, phase: ConnectPhase, close: CloseReason | undefined): void;
}
