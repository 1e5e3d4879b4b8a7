import type { TokenSource } from './hooks.js';

/** Why a connection was closed: the values of `pgauge.connection.close_reason`. */
export const CLOSE_REASONS = [
  'idle',
  'lifetime',
  'server_closed',
  'network',
  'timeout',
  'hook',
  'auth',
  'tx_open',
  'busy',
  'read_only',
  'max_uses',
  'released_with_error',
  'pool_end',
] as const;

/** One of {@link CLOSE_REASONS}. */
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** The steps of a connection attempt, in their order: the one at which it failed is the `phase` of its log record. */
export const CONNECT_PHASES = ['hook', 'token', 'dns', 'tcp', 'tls', 'auth', 'init'] as const;

/** One of {@link CONNECT_PHASES}. */
export type ConnectPhase = (typeof CONNECT_PHASES)[number];

/** Why an acquire could not be served at once: the values of `pgauge.acquire.reason`. */
export const ACQUIRE_REASONS = ['new_connection', 'exhausted'] as const;

/** One of {@link ACQUIRE_REASONS}. */
export type AcquireReason = (typeof ACQUIRE_REASONS)[number];

/** One of several hosts of a pool. */
export interface HostGauge {
  readonly host: string;
  readonly port: number;
  /** Its established connections. */
  readonly connections: number;
}

/** The state of a pool for its observer: plain numbers, read at collection; all *current*. */
export interface PoolGauges {
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  /** The hosts, if there are several; empty for a pool with only one. */
  readonly hosts: readonly HostGauge[];
  /** The maximum number of connections. */
  readonly limit: number;
  /** `minConns`. */
  readonly idleMin: number;
  /** Acquirers waiting now. */
  readonly pending: number;
  /** Queries in flight beyond one for each connection; `undefined` for a pool that does not pipeline. */
  readonly pipelined?: number | undefined;
  /** Whether connection attempts fail at present because the server cannot be reached. */
  readonly unreachable: boolean;
  /** Age of the longest checkout in milliseconds, 0 if none. */
  readonly longestUseMs: number;
  /** Age of the oldest waiter in milliseconds, 0 if none. */
  readonly longestWaitMs: number;
  /** Cumulative: acquires that timed out. */
  readonly acquireTimeouts: number;
  /** Cumulative: acquires that waited for a slot or constructed. */
  readonly emptyAcquires: number;
  /** Cumulative: milliseconds that those waited. */
  readonly emptyAcquireWaitMs: number;
  /** Cumulative: acquires that were refused because too many were waiting. */
  readonly rejectedAcquires: number;
  /** Cumulative: acquires that timed out or were aborted. */
  readonly canceledAcquires: number;
}

/** The hooks that run between two uses of a connection: the values of `pgauge.session.hook`. */
export const SESSION_HOOKS = ['acquire', 'reset'] as const;

/** One of {@link SESSION_HOOKS}. */
export type SessionHook = (typeof SESSION_HOOKS)[number];

/** Why a query was stopped before it was answered: the values of `pgauge.query.cancel_reason`. */
export const CANCEL_REASONS = ['timeout', 'aborted'] as const;

/** One of {@link CANCEL_REASONS}. */
export type CancelReason = (typeof CANCEL_REASONS)[number];

/** The session that runs a query. */
export interface QuerySession {
  /** The dialled host and the database in use; a hook may have changed the pool's own. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** The process ID of the backend; `null` if the server sent none. */
  readonly pid: number | null;
  /** The IP address of the peer, if known. */
  readonly peerAddress: string | undefined;
}

/** A query as its caller gave it. */
export interface GivenQuery {
  /** The SQL text; `''` for a query of a foreign class without one. */
  readonly text: string;
  /** The name of its prepared statement. */
  readonly name: string | undefined;
  /** Whether its values are separate from the text: it has `values` or a name. */
  readonly parameterized: boolean;
}

/** A checkout that has not ended. */
export interface Holder {
  /** Milliseconds since the hand-over. */
  readonly heldMs: number;
  /** The stack of its acquire, with `leakDetectionMs`. */
  readonly stack: string | undefined;
}

/**
 * All events that a pool reports. Telemetry implements it and the pool calls it, without depending on each other.
 * No member may throw: an implementation guards its own calls.
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
  /** A connection attempt failed because the server cannot be reached, for the first time since it could. */
  unreachable(error: unknown): void;
  /** The server can be reached again, `outageMs` after `unreachable`. */
  reachable(outageMs: number): void;
  /** A session hook ended after `durationMs`; `error` is set if it failed. */
  sessionHook(hook: SessionHook, durationMs: number, error?: unknown): void;
  /** Whether queries are measured here, so that an instrumentation must not measure them, too. */
  readonly measuresQueries?: boolean | undefined;
  /** Observes the queries of one connection; unset unless queries are observed. */
  readonly session?: ((session: QuerySession) => SessionObserver) | undefined;
  /** A query was stopped `durationMs` after its call, while it was running or queued behind another of its client. */
  queryCanceled(reason: CancelReason, query: GivenQuery, session: QuerySession, durationMs: number): void;
  /** A checked-out client was held for longer than `leakDetectionMs`; the stack is its acquirer's. */
  leakSuspected(heldMs: number, stack: string): void;
  /** A client suspected to be leaked was released after all. */
  leakReturned(heldMs: number): void;
  /** `end()` is waiting for these checkouts, the longest first, and for `pending` acquires. */
  endWaiting(holders: readonly Holder[], pending: number): void;
  /** `endTimeoutMs` passed and checked-out clients were destroyed; their ages in milliseconds, longest first. */
  endForced(heldMs: readonly number[]): void;
  /** The pool has ended and every socket is closed. */
  ended(): void;
}

/** The queries of one connection. */
export interface SessionObserver {
  /** A query was called; called in its caller's async context, before anything is sent. */
  started(query: GivenQuery): QueryObserver;
}

/** One query; exactly one of the methods is called, once. */
export interface QueryObserver {
  /** The comment that is appended to its text when it is sent, or `''`. */
  readonly comment: string;
  /** It was answered; `rows` is the number of rows that it returned, if known. */
  completed(rows: number | undefined): void;
  /** It failed: an error of the server or of the driver, or the loss of its connection. */
  failed(error: unknown): void;
  /** It was stopped before it was answered; `error` is what its caller gets. */
  canceled(reason: CancelReason, error: unknown): void;
}

/** One acquire that could not be served at once. */
export interface AcquireObserver {
  /** It has to wait, for this reason; called at most once, before any attempt it causes. */
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
