import { VERSION } from '../process-state.js';
import { ATTR } from './attributes.js';

export * from './attributes.js';

/** The version of the OpenTelemetry semantic conventions; names without the prefix `pgauge.` follow it. */
export const SEMCONV_VERSION = '1.45.0';

/** The instrumentation scope of all meters and tracers; its version is that of the package. */
export const SCOPE = {
  name: 'pgauge',
  version: VERSION,
  schemaUrl: `https://opentelemetry.io/schemas/${SEMCONV_VERSION}`,
} as const;

/** Bucket boundaries, in seconds, for waits, connection attempts and token refreshes. */
export const LATENCY_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

/** Bucket boundaries, in seconds, for checkouts, which may last minutes. */
export const USE_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300] as const;

/** Bucket boundaries, in seconds, for queries: those of the conventions. */
export const OPERATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] as const;

/** Bucket boundaries for the number of rows that a query returned: those of the conventions. */
export const ROW_BUCKETS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] as const;

/**
 * All span names. A connect span is named `SPAN.connect`, a space and the database; a query span has the summary in
 * place of `SPAN.query`, or the database if there is no summary.
 */
export const SPAN = {
  acquire: 'pgauge.pool.acquire',
  connect: 'CONNECT',
  connectHook: 'pgauge.connect.hook',
  tokenRefresh: 'pgauge.auth.token.refresh',
  connectionInit: 'pgauge.connection.init',
  query: '{db.query.summary}',
} as const;

const DATABASE_ATTRIBUTES = [
  ATTR.dbSystemName,
  ATTR.dbNamespace,
  ATTR.serverAddress,
  ATTR.serverPort,
  ATTR.poolName,
] as const;

/** The attributes of each span; `error.type` and the status code are set only on failure. */
export const SPAN_ATTRIBUTES = {
  acquire: [
    ...DATABASE_ATTRIBUTES,
    ATTR.acquireReason,
    ATTR.poolUsed,
    ATTR.poolIdle,
    ATTR.poolConnecting,
    ATTR.poolPending,
    ATTR.poolLimit,
    ATTR.errorType,
  ],
  connect: [
    ...DATABASE_ATTRIBUTES,
    ATTR.networkPeerAddress,
    ATTR.tlsMode,
    ATTR.errorType,
    ATTR.dbResponseStatusCode,
  ],
  connectHook: [ATTR.errorType],
  tokenRefresh: [ATTR.authProviderName, ATTR.cloudRegion, ATTR.errorType],
  connectionInit: [ATTR.errorType],
  query: [
    ...DATABASE_ATTRIBUTES,
    ATTR.dbQuerySummary,
    ATTR.dbQueryText,
    ATTR.dbResponseReturnedRows,
    ATTR.networkPeerAddress,
    ATTR.connectionPid,
    ATTR.errorType,
    ATTR.dbResponseStatusCode,
  ],
} as const;

const QUERY_ATTRIBUTES = [...DATABASE_ATTRIBUTES, ATTR.dbQuerySummary] as const;

/** All metrics with their instrument, unit, attributes and description, histograms with their buckets; `error.type` and the status code are set only on failure. */
export const METRIC = {
  connectionCount: {
    name: 'db.client.connection.count',
    instrument: 'ObservableUpDownCounter',
    unit: '{connection}',
    attributes: [ATTR.poolName, ATTR.connectionState],
    description: 'Connections of the pool now, by state; the states add up to its size.',
  },
  connectionLimit: {
    name: 'db.client.connection.limit',
    instrument: 'ObservableUpDownCounter',
    unit: '{connection}',
    attributes: [ATTR.poolName],
    description: 'Most connections the pool may have.',
  },
  connectionIdleMin: {
    name: 'db.client.connection.idle.min',
    instrument: 'ObservableUpDownCounter',
    unit: '{connection}',
    attributes: [ATTR.poolName],
    description: 'Connections the pool keeps open at least.',
  },
  pendingRequests: {
    name: 'db.client.connection.pending_requests',
    instrument: 'ObservableUpDownCounter',
    unit: '{request}',
    attributes: [ATTR.poolName],
    description: 'Acquirers waiting for a connection now.',
  },
  timeouts: {
    name: 'db.client.connection.timeouts',
    instrument: 'ObservableCounter',
    unit: '{timeout}',
    attributes: [ATTR.poolName],
    description: 'Acquires that timed out.',
  },
  waitTime: {
    name: 'db.client.connection.wait_time',
    instrument: 'Histogram',
    unit: 's',
    attributes: [ATTR.poolName, ATTR.errorType],
    buckets: LATENCY_BUCKETS,
    description: 'Time from the call to the connection handed over, or to the failure.',
  },
  createTime: {
    name: 'db.client.connection.create_time',
    instrument: 'Histogram',
    unit: 's',
    attributes: [ATTR.poolName, ATTR.errorType],
    buckets: LATENCY_BUCKETS,
    description: 'Time of one connection attempt: hook, dial, TLS, login and afterConnect.',
  },
  useTime: {
    name: 'db.client.connection.use_time',
    instrument: 'Histogram',
    unit: 's',
    attributes: [ATTR.poolName],
    buckets: USE_BUCKETS,
    description: 'Time from hand-over to release.',
  },
  tokenRefreshDuration: {
    name: 'pgauge.auth.token.refresh.duration',
    instrument: 'Histogram',
    unit: 's',
    attributes: [ATTR.poolName, ATTR.authProviderName, ATTR.errorType],
    buckets: LATENCY_BUCKETS,
    description: 'Time to obtain the fresh token of one connection attempt.',
  },
  sessionHookDuration: {
    name: 'pgauge.session.hook.duration',
    instrument: 'Histogram',
    unit: 's',
    attributes: [ATTR.poolName, ATTR.sessionHook, ATTR.errorType],
    buckets: LATENCY_BUCKETS,
    description: 'Time of one run of onAcquire or resetSession.',
  },
  credentialsFetchDuration: {
    name: 'pgauge.auth.credentials.fetch.duration',
    instrument: 'Histogram',
    unit: 's',
    attributes: [ATTR.authProviderName, ATTR.errorType],
    buckets: LATENCY_BUCKETS,
    description: 'Time of one real fetch by the credential provider.',
  },
  credentialsExpiration: {
    name: 'pgauge.auth.credentials.expiration',
    instrument: 'ObservableGauge',
    unit: 's',
    attributes: [ATTR.authProviderName],
    description: 'Unix time at which the session credentials end; 0 once they no longer do.',
  },
  emptyAcquires: {
    name: 'pgauge.pool.empty_acquires',
    instrument: 'ObservableCounter',
    unit: '{acquire}',
    attributes: [ATTR.poolName],
    description: 'Successful acquires that waited for a slot or a new connection.',
  },
  emptyAcquireWaitTime: {
    name: 'pgauge.pool.empty_acquire.wait_time',
    instrument: 'ObservableCounter',
    unit: 's',
    attributes: [ATTR.poolName],
    description: 'Time those acquires took, summed.',
  },
  canceledAcquires: {
    name: 'pgauge.pool.canceled_acquires',
    instrument: 'ObservableCounter',
    unit: '{acquire}',
    attributes: [ATTR.poolName],
    description: 'Acquires that timed out or were aborted.',
  },
  rejectedAcquires: {
    name: 'pgauge.pool.rejected_acquires',
    instrument: 'ObservableCounter',
    unit: '{acquire}',
    attributes: [ATTR.poolName],
    description: 'Acquires that were refused because too many were waiting.',
  },
  pipelined: {
    name: 'pgauge.pool.pipelined',
    instrument: 'ObservableUpDownCounter',
    unit: '{query}',
    attributes: [ATTR.poolName],
    description: 'Queries in flight beyond one for each connection; reported by pools with pipelining.',
  },
  unreachable: {
    name: 'pgauge.pool.unreachable',
    instrument: 'ObservableGauge',
    unit: '{outage}',
    attributes: [ATTR.poolName],
    description: '1 while connection attempts fail because the server cannot be reached, else 0.',
  },
  hostConnections: {
    name: 'pgauge.pool.host.connections',
    instrument: 'ObservableUpDownCounter',
    unit: '{connection}',
    attributes: [ATTR.poolName, ATTR.serverAddress, ATTR.serverPort],
    description: 'Established connections to each of several hosts.',
  },
  longestUse: {
    name: 'pgauge.pool.longest_use',
    instrument: 'ObservableGauge',
    unit: 's',
    attributes: [ATTR.poolName],
    description: 'Age of the longest checkout now, 0 if none.',
  },
  longestWait: {
    name: 'pgauge.pool.longest_wait',
    instrument: 'ObservableGauge',
    unit: 's',
    attributes: [ATTR.poolName],
    description: 'Age of the oldest waiting acquirer now, 0 if none.',
  },
  connectionOpened: {
    name: 'pgauge.connection.opened',
    instrument: 'ObservableCounter',
    unit: '{connection}',
    attributes: [ATTR.poolName],
    description: 'Connection attempts that succeeded.',
  },
  connectionClosed: {
    name: 'pgauge.connection.closed',
    instrument: 'ObservableCounter',
    unit: '{connection}',
    attributes: [ATTR.poolName, ATTR.closeReason],
    description: 'Closed connections and failed logins, by reason.',
  },
  operationDuration: {
    name: 'db.client.operation.duration',
    instrument: 'Histogram',
    unit: 's',
    attributes: [...QUERY_ATTRIBUTES, ATTR.errorType, ATTR.dbResponseStatusCode],
    buckets: OPERATION_BUCKETS,
    description: 'Time from the call of a query to its last answer, or to the failure.',
  },
  returnedRows: {
    name: 'db.client.response.returned_rows',
    instrument: 'Histogram',
    unit: '{row}',
    attributes: QUERY_ATTRIBUTES,
    buckets: ROW_BUCKETS,
    description: 'Rows that a query returned.',
  },
  queryCanceled: {
    name: 'pgauge.query.canceled',
    instrument: 'ObservableCounter',
    unit: '{query}',
    attributes: [ATTR.poolName, ATTR.queryCancelReason],
    description: 'Queries that were stopped before they were answered, by reason.',
  },
  poolInfo: {
    name: 'pgauge.pool.info',
    instrument: 'ObservableUpDownCounter',
    unit: '{pool}',
    attributes: [
      ATTR.poolName,
      ATTR.serverAddress,
      ATTR.serverPort,
      ATTR.dbNamespace,
      ATTR.dbSystemName,
      ATTR.authProviderName,
      ATTR.tlsMode,
    ],
    description: '1 while the pool lives; carries the attributes that describe the pool.',
  },
} as const;
