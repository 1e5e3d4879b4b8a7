import { VERSION } from '../process-state.js';

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

/** All attributes of metrics and spans. */
export const ATTR = {
  poolName: 'db.client.connection.pool.name',
  connectionState: 'db.client.connection.state',
  dbSystemName: 'db.system.name',
  dbNamespace: 'db.namespace',
  dbResponseStatusCode: 'db.response.status_code',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  networkPeerAddress: 'network.peer.address',
  errorType: 'error.type',
  cloudRegion: 'cloud.region',
  authProviderName: 'pgauge.auth.provider.name',
  tlsMode: 'pgauge.tls.mode',
  closeReason: 'pgauge.connection.close_reason',
  acquireReason: 'pgauge.acquire.reason',
  sessionHook: 'pgauge.session.hook',
  poolUsed: 'pgauge.pool.used',
  poolIdle: 'pgauge.pool.idle',
  poolConnecting: 'pgauge.pool.connecting',
  poolPending: 'pgauge.pool.pending',
  poolLimit: 'pgauge.pool.limit',
} as const;

/** The value of `db.system.name`. */
export const DB_SYSTEM_NAME = 'postgresql';

/** The values of `db.client.connection.state`. */
export const CONNECTION_STATES = ['used', 'idle', 'connecting'] as const;

/** The values of `error.type` other than a SQLSTATE, an error code or a class name. */
export const ERROR_TYPE = {
  acquireTimeout: 'acquire_timeout',
  connectTimeout: 'connect_timeout',
  queryTimeout: 'query_timeout',
  other: '_OTHER',
} as const;

/** `pgauge.tls.mode` of a connection without TLS. */
export const TLS_DISABLED = 'disable';

/** `pgauge.tls.mode` of a connection for which a hook enabled TLS although the config disables it. */
export const TLS_CUSTOM = 'custom';

/** All span names; a connect span is named `SPAN.connect`, a space and the database. */
export const SPAN = {
  acquire: 'pgauge.pool.acquire',
  connect: 'CONNECT',
  connectHook: 'pgauge.connect.hook',
  tokenRefresh: 'pgauge.auth.token.refresh',
  connectionInit: 'pgauge.connection.init',
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
} as const;

/** All metrics with their instrument, unit, attributes and description, histograms with their buckets; `error.type` is set only on failure. */
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
