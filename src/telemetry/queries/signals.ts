import type { QueryTelemetry } from '../../hooks.js';
import type { CancelReason } from '../../observer.js';
import type { ErrorTypes } from '../error-type.js';
import type { PoolLogs } from '../logs/pool-logs.js';
import type { PoolMetrics } from '../metrics/pool-metrics.js';
import { ERROR_TYPE } from '../names.js';
import type { TracerSource } from '../spans/tracer-source.js';
import type { Comments } from './comments.js';
import type { Statements } from './statements.js';

type Members = Omit<QueryTelemetry, 'summary'>;

/** The option `queryTelemetry`, checked and with its defaults. */
export type QuerySettings = { readonly [Name in keyof Members]-?: NonNullable<Members[Name]> } & Pick<
  QueryTelemetry,
  'summary'
>;

/** The settings when `queryTelemetry` is off. */
export const QUERY_TELEMETRY_OFF: QuerySettings = {
  metrics: false,
  spans: 'never',
  text: 'never',
  rows: false,
  summary: undefined,
  comment: false,
};

/** `error.type` of a query that was stopped. */
export const STOPPED: Readonly<Record<CancelReason, string>> = {
  timeout: ERROR_TYPE.queryTimeout,
  aborted: ERROR_TYPE.queryAborted,
};

/** Everything the queries of one pool report to. */
export interface Reports {
  readonly errorTypes: ErrorTypes;
  readonly metrics: PoolMetrics;
  readonly tracers: TracerSource;
  readonly logs: PoolLogs;
}

/** The shared state of one pool's queries: the destinations of reports, the settings, and the caches. */
export interface QuerySignals extends Reports {
  readonly settings: QuerySettings;
  /** A query that takes at least this long, in milliseconds, is logged as slow; 0: off. */
  readonly slowQueryMs: number;
  readonly statements: Statements;
  readonly comments: Comments;
  /** Whether a query needs its caller's context: for a span, a comment or the log. */
  readonly needsContext: boolean;
}
