import {
  type Attributes,
  type Context,
  isSpanContextValid,
  SpanKind,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { QueryTelemetry } from '../../hooks.js';
import type { GivenQuery, QuerySession } from '../../observer.js';
import { quietly } from '../guard.js';
import { ATTR } from '../names.js';
import { SpanClock } from '../spans/clock.js';
import { Operation } from '../spans/operation.js';
import type { Statement } from './statements.js';
import type { Target } from './targets.js';

/** Whether a query that is called in `caller` gets a span. */
export function wantsSpan(mode: QueryTelemetry['spans'], caller: Context): boolean {
  if (mode !== 'child') return mode === 'always';
  const span = quietly(() => trace.getSpanContext(caller));
  return span !== undefined && isSpanContextValid(span);
}

/** Starts the span of a query with every attribute that a sampler may need. */
export function startQuerySpan(
  tracer: Tracer,
  caller: Context,
  query: GivenQuery,
  statement: Statement,
  target: Target,
  text: QueryTelemetry['text'],
): Operation {
  const { summary } = statement;
  const attributes = statement.spanAttributes(target.series(summary), query, text);
  const clock = new SpanClock();
  return new Operation(tracer, summary.text ?? target.database, caller, clock, {
    kind: SpanKind.CLIENT,
    attributes,
    startTime: clock.start(),
  });
}

/** Ends the span of a query. */
export function endQuerySpan(
  operation: Operation,
  session: QuerySession,
  rows: number | undefined,
  errorType: string | undefined,
  status: string | undefined,
): void {
  operation.end(errorType, operation.isRecording() ? attributesAtEnd(session, rows, status) : undefined);
}

function attributesAtEnd(
  { peerAddress, pid }: QuerySession,
  rows: number | undefined,
  status: string | undefined,
): Attributes {
  const attributes: Attributes = {};
  if (peerAddress !== undefined) attributes[ATTR.networkPeerAddress] = peerAddress;
  if (pid !== null) attributes[ATTR.connectionPid] = pid;
  if (rows !== undefined) attributes[ATTR.dbResponseReturnedRows] = rows;
  if (status !== undefined) attributes[ATTR.dbResponseStatusCode] = status;
  return attributes;
}
