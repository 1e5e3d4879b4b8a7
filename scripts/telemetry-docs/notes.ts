import type { LOG } from '../../src/telemetry/logs/records.js';
import type { ATTR, METRIC, SPAN } from '../../src/telemetry/names.js';
import type { CLOSE_REASONS } from '../../src/observer.js';

/** When each metric is recorded. */
export const METRIC_WHEN: Readonly<Record<keyof typeof METRIC, string>> = {
  connectionCount: 'Read at collection, all three states always; their sum is `pool.totalCount`.',
  connectionLimit: 'Read at collection.',
  connectionIdleMin: 'Read at collection; only with `minConns` above 0.',
  pendingRequests: 'Read at collection.',
  timeouts: 'Read at collection; 0 from the start.',
  waitTime:
    'Once per acquire, `pool.query` included: served at once, after a wait, after a new connection, timed out, aborted or failed.',
  createTime: 'Once per physical attempt as it ends: hook, token, DNS, TCP, TLS, login, afterConnect.',
  useTime: 'Once per checkout, when it is released or its connection is lost.',
  tokenRefreshDuration: 'Once per connection attempt that requests a token; never for a query.',
  sessionHookDuration:
    'Once per run of `onAcquire` or `resetSession`, failed ones included; absent without these options.',
  credentialsFetchDuration:
    'When the credential provider fetched credentials (environment, file, IMDS, STS, …), not when it returned cached ones. Credentials belong to the process: one fetch is one sample per meter, however many pools there are.',
  credentialsExpiration:
    'Read at collection; absent while there are none or they do not expire. Its last value is 0 when they were replaced by others that do not expire, or when the last pool that used them has ended: a rule must require `> 0`.',
  emptyAcquires: 'Read at collection; 0 from the start.',
  emptyAcquireWaitTime: 'Read at collection; 0 from the start.',
  canceledAcquires: 'Read at collection; 0 from the start.',
  rejectedAcquires: 'Read at collection; 0 from the start.',
  pipelined: 'Read at collection. Pools without `pipelining` do not report it.',
  unreachable:
    'Read at collection. 1 from an attempt that failed because the server cannot be reached, starts up or is full, until one succeeds or the server refuses the login. An unused pool makes no attempts, and keeps its value.',
  hostConnections:
    'Read at collection, only for a pool with several `hosts`: every host from the start, under its address in the config. Their sum is `used` and `idle` of `db.client.connection.count`.',
  longestUse: 'Read at collection.',
  longestWait: 'Read at collection.',
  connectionOpened: 'Read at collection; 0 from the start.',
  connectionClosed:
    'Read at collection; each reason 0 from the start. Failed logins count here and not as opened, so the difference of the two is not the number of connections.',
  operationDuration:
    'With `queryTelemetry`, unless its `metrics` is false: once per query as it ends, whatever its kind; a cursor from submit to close. It does not include the time that `pool.query` waits for a connection. No `server.port` if it is 5432.',
  returnedRows:
    'With `rows` of `queryTelemetry`: once per query that was answered, if the number of its rows is known.',
  queryCanceled:
    'Read at collection, of every pool; both reasons 0 from the start. Queries that were still waiting for a connection count as cancelled acquires.',
  poolInfo: 'Read at collection; the one series with the wide attributes, to join on.',
};

/** The meaning of each attribute. */
export const ATTRIBUTE_NOTES: Readonly<Record<keyof typeof ATTR, string>> = {
  poolName:
    'Option `poolName`, else `host:port/database` of the config; equal names in one process get `#2`, `#3`, …',
  connectionState: '`used`, `idle` or `connecting`.',
  dbSystemName: 'Always `postgresql`.',
  dbNamespace: 'The database.',
  dbQuerySummary:
    'The operations of a query and their targets, such as `SELECT orders customers`, in the order of the text; at most 255 characters, never a literal. At most 500 values per pool, then `_OTHER`. Absent for a text without a statement.',
  dbQueryText:
    'The SQL text, as `text` of `queryTelemetry` allows it: for queries with `values` or a `name`, as written; with `sanitized`, for all others too, with literals replaced by `?`.',
  dbResponseReturnedRows: 'The rows that the query returned, if known.',
  dbResponseStatusCode: "The SQLSTATE of the server's error.",
  serverAddress:
    'The host: on CONNECT, and for queries, the one that was dialled; elsewhere that of the config.',
  serverPort: 'The port, likewise.',
  networkPeerAddress: 'The IP address that was dialled.',
  errorType:
    'The SQLSTATE; else the `code` of the error; else `acquire_timeout`, `connect_timeout`, `query_timeout` or `query_aborted`; else its class; else `_OTHER`. Never a message. At most 64 values per pool, then `_OTHER`. The same on span, metric and log.',
  cloudRegion: 'The region that the token is signed for.',
  authProviderName:
    'The backend of `dynamicAuth`, as in the config; of `custom` its own `name`; of a hook the `provider` of its source.',
  tlsMode: '`sslMode` in effect; on CONNECT `disable` or `custom` if a hook changed it.',
  closeReason: 'Why a connection was closed: see below.',
  connectionPid: 'The process ID of the backend, as in `pg_stat_activity`.',
  queryCancelReason:
    '`timeout`: `queryTimeoutMs` or `timeoutMs` had passed; `aborted`: the `signal` of the query was.',
  acquireReason:
    '`new_connection`: a connection is or may be made for it; `exhausted`: all connections are in use, and no more may be made.',
  sessionHook: '`acquire` for `onAcquire`, `reset` for `resetSession`.',
  poolUsed: 'Connections used as the wait began.',
  poolIdle: 'Connections idle as the wait began.',
  poolConnecting: 'Connections being made as the wait began.',
  poolPending: 'Acquirers waiting as the wait began, this one included.',
  poolLimit: 'The maximum number of connections.',
};

/** The meaning of each close reason. */
export const CLOSE_REASON_NOTES: Readonly<Record<(typeof CLOSE_REASONS)[number], string>> = {
  idle: 'unused for longer than `idleTimeoutMs`',
  lifetime: 'older than `connMaxLifetimeMs`, or retired by `reset()`',
  server_closed:
    'the server ended the session: restart, failover, `pg_terminate_backend`, too many connections',
  network: 'the socket was reset or cut, TLS failed, or a ping was not answered',
  timeout: 'the connect deadline passed, or a query that took too long or was aborted did not stop in time',
  hook: '`afterConnect`, `onAcquire` or `resetSession` failed',
  auth: 'the login was rejected (SQLSTATE class 28)',
  tx_open: 'released inside a transaction',
  busy: 'released while a query was running, or not ready within a second',
  read_only: 'the server accepts no writes (25006): an old writer after a failover',
  max_uses: 'handed out `maxUses` times',
  released_with_error:
    '`release(error)`, `client.end()` by its user, or an error that belongs to the session: 26000, 42P05, 08P01, or 0A000 of a statement prepared in SQL',
  pool_end: 'the pool ended',
};

/** When each span is created, and its parent. */
export const SPAN_NOTES: Readonly<
  Record<keyof typeof SPAN, { readonly kind: 'INTERNAL' | 'CLIENT'; readonly when: string }>
> = {
  acquire: {
    kind: 'INTERNAL',
    when: 'An acquire that waits for a slot or a new connection, below the span of its caller. Option `acquireSpan`: `always` for warm ones too, `never` for none. The counts are there if the span is sampled.',
  },
  connect: {
    kind: 'CLIENT',
    when: 'Each physical attempt, below the acquire that caused it; one made in the background has no parent. Its name is `CONNECT` and the database.',
  },
  connectHook: {
    kind: 'INTERNAL',
    when: 'The `beforeConnect` of the application, below CONNECT. With `dynamicAuth`, the token span takes its place.',
  },
  tokenRefresh: {
    kind: 'INTERNAL',
    when: 'The token of one attempt, below CONNECT, or below the hook that composed it. The HTTP spans of the provider are below it.',
  },
  connectionInit: { kind: 'INTERNAL', when: '`afterConnect`, below CONNECT.' },
  query: {
    kind: 'CLIENT',
    when: 'With `queryTelemetry`: each query, below the span that was active at the call; with `spans: "child"` only below an active span, with `"never"` none. Its name is the summary, else the database.',
  },
};

/** When each record is written. */
export const LOG_NOTES: Readonly<Record<keyof typeof LOG, string>> = {
  poolCreated:
    'once; `config` is the redacted view of `logValue`, `dropped` names settings that a tool passed to a `poolClass` and that have no effect',
  manyPools:
    'five pools with the same target and name exist in this process; once for each target and name; `hint` says what to do',
  poolEnded: "once, with the pool's totals",
  poolStats: 'every interval of `startPoolStatsLogger` or `statsLog`',
  connectionOpened: 'a connection is ready for use',
  connectionClosed: 'every connection that is closed, and every login that fails',
  connectFailed:
    'an attempt failed; `phase` is hook, token, dns, tcp, tls, auth or init, `attempt` counts the failures in a row, `tried` has each address or name with its code, `hint` says what to check first',
  unreachable: 'the first attempt that failed because the server cannot be reached, starts up or is full',
  reachable: 'the end of an outage that was logged, which lasted for `unreachable_ms`',
  connectionLost: 'a connection was discarded because of a fault; `reason` is the close reason',
  releasedInTransaction:
    'a client was released with a transaction open, and its connection was closed: `BEGIN` without `COMMIT` or `ROLLBACK`',
  releasedBusy:
    'a client was released while a query, cursor or COPY was running, and its connection was closed: a missing `await`',
  acquireTimedOut: 'an acquire timed out; the state of the pool without it',
  saturated: 'all connections are used and a request has been pending for 1 s',
  recovered: 'no request has been pending for 1 s',
  leakSuspected: 'with `leakDetectionMs`: a client has been held for longer; `stack` is its acquirer’s',
  leakReturned: 'the client was released after all',
  endWaiting:
    '`end()` has waited for 5 s for clients that were not released or for acquires that wait; repeated every minute; `stacks` with `leakDetectionMs`',
  endForced: '`endTimeoutMs` passed and clients that were checked out were destroyed',
  sessionHookFailed:
    '`onAcquire` or `resetSession` failed or took too long, and its connection was closed; `hook` is acquire or reset',
  slowQuery:
    'with `slowQueryMs`: a query took at least as long, unless it was stopped; `rows` if it was answered, `error_type` if it failed, `pid` of the backend; limited per summary',
  queryCanceled: 'a query was stopped: `error_type` is query_timeout or query_aborted; limited per summary',
  summaryRefused: 'the `summary` of `queryTelemetry` threw or returned an invalid value; once per pool',
  tokenRefreshFailed: 'a connection attempt got no token',
};
