/** All attributes of metrics and spans. */
export const ATTR = {
  poolName: 'db.client.connection.pool.name',
  connectionState: 'db.client.connection.state',
  dbSystemName: 'db.system.name',
  dbNamespace: 'db.namespace',
  dbQuerySummary: 'db.query.summary',
  dbQueryText: 'db.query.text',
  dbResponseReturnedRows: 'db.response.returned_rows',
  dbResponseStatusCode: 'db.response.status_code',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  networkPeerAddress: 'network.peer.address',
  errorType: 'error.type',
  cloudRegion: 'cloud.region',
  authProviderName: 'pgauge.auth.provider.name',
  tlsMode: 'pgauge.tls.mode',
  closeReason: 'pgauge.connection.close_reason',
  connectionPid: 'pgauge.connection.pid',
  queryCancelReason: 'pgauge.query.cancel_reason',
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
  queryAborted: 'query_aborted',
  other: '_OTHER',
} as const;

/** `pgauge.tls.mode` of a connection without TLS. */
export const TLS_DISABLED = 'disable';

/** `pgauge.tls.mode` of a connection for which a hook enabled TLS although the config disables it. */
export const TLS_CUSTOM = 'custom';
