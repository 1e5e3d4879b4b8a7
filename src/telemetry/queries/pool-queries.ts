import type { CancelReason, GivenQuery, QuerySession, SessionObserver } from '../../observer.js';
import { Comments } from './comments.js';
import { ObservedQuery } from './query.js';
import {
  QUERY_TELEMETRY_OFF,
  type QuerySettings,
  type QuerySignals,
  type Reports,
  STOPPED,
} from './signals.js';
import { Statements } from './statements.js';
import { Summaries } from './summaries.js';
import { Targets } from './targets.js';

/** The telemetry options of a pool's queries. */
export interface QueryOptions {
  /** Default neither metrics nor spans. */
  readonly queryTelemetry?: QuerySettings | undefined;
  /** A query that takes at least this long, in milliseconds, is logged as slow; default 0: off. */
  readonly slowQueryMs?: number | undefined;
  /** The application's name in SQL comments; default none. */
  readonly application?: string | undefined;
}

const SUMMARY_HINT =
  'queryTelemetry.summary threw, or returned neither undefined nor a text of 1 to 255 characters without control ' +
  'characters: the built-in summary is used instead';

/** The telemetry of the queries of one pool. */
export class PoolQueries {
  /** Observes the queries of one connection; unset when queries have no telemetry. */
  readonly session: ((session: QuerySession) => SessionObserver) | undefined;
  /** Whether metrics or spans are made of them. */
  readonly measures: boolean;
  readonly #signals: QuerySignals;

  constructor(poolName: string, reports: Reports, options: QueryOptions) {
    const { queryTelemetry: settings = QUERY_TELEMETRY_OFF, slowQueryMs = 0, application } = options;
    const { errorTypes, metrics, tracers, logs } = reports;
    this.measures = settings !== QUERY_TELEMETRY_OFF;
    const summaries = new Summaries(settings.summary, () => logs.summaryRefused(SUMMARY_HINT));
    this.#signals = {
      errorTypes,
      metrics,
      tracers,
      logs,
      settings,
      slowQueryMs,
      statements: new Statements(summaries, settings.summary !== undefined),
      comments: new Comments(settings.comment, poolName, application),
      needsContext: settings.spans !== 'never' || settings.comment !== false || slowQueryMs > 0,
    };
    if (this.measures || slowQueryMs > 0) this.session = sessions(this.#signals, new Targets(poolName));
  }

  /** A query was stopped before it was answered; reported for every pool, whatever its options. */
  canceled(reason: CancelReason, query: GivenQuery, { pid }: QuerySession, durationMs: number): void {
    const { metrics, logs, statements } = this.#signals;
    metrics.queryCanceled(reason);
    const summary = statements.of(query).summary.text;
    logs.queryCanceled({ durationMs, summary, pid }, STOPPED[reason]);
  }
}

function sessions(signals: QuerySignals, targets: Targets): (session: QuerySession) => SessionObserver {
  return (session) => {
    const target = targets.of(session);
    return { started: (query) => new ObservedQuery(signals, session, target, query) };
  };
}
