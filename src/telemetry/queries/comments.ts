import { type Context, isSpanContextValid, trace, TraceFlags } from '@opentelemetry/api';
import type { QueryTelemetry } from '../../hooks.js';
import type { GivenQuery } from '../../observer.js';
import { sqlComment } from '../../sql/comment.js';
import { quietly } from '../guard.js';
import { SCOPE } from '../names.js';
import type { Statement } from './statements.js';

/** The SQL comments of one pool. */
export class Comments {
  readonly #mode: QueryTelemetry['comment'];
  readonly #pairs: Readonly<Record<string, string>>;
  readonly #service: string;

  constructor(mode: QueryTelemetry['comment'], poolName: string, application: string | undefined) {
    this.#mode = mode;
    this.#pairs = {
      ...(application !== undefined && { application }),
      db_driver: SCOPE.name,
      pool: poolName,
    };
    this.#service = sqlComment(this.#pairs);
  }

  /** The comment for a query that was called in `context`: the context of its span, if it has one. */
  of(statement: Statement, { name }: GivenQuery, context: Context): string {
    if (this.#mode === false || !statement.takesComment) return '';
    // The text of a named statement must stay the same.
    const traceparent =
      this.#mode === 'trace' && name === undefined ? quietly(() => traceparentOf(context)) : undefined;
    return traceparent === undefined ? this.#service : sqlComment({ ...this.#pairs, traceparent });
  }
}

/** The W3C `traceparent` of the span in a context, if that span is sampled. */
function traceparentOf(context: Context): string | undefined {
  const span = trace.getSpanContext(context);
  if (span === undefined || !isSpanContextValid(span) || (span.traceFlags & TraceFlags.SAMPLED) === 0)
    return undefined;
  return `00-${span.traceId}-${span.spanId}-01`;
}
