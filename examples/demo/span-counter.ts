import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { SPAN } from '../../src/telemetry/names.js';

/** Counts ended spans, so that the summary can report them without a trace backend. */
export class SpanCounter implements SpanProcessor {
  /** Cumulative: `CONNECT` spans of the pool. */
  connects = 0;
  /** Cumulative: token refresh spans of the pool. */
  tokens = 0;
  /** Cumulative: query spans of instrumentation-pg. */
  queries = 0;

  onEnd({ name, instrumentationScope }: ReadableSpan): void {
    if (instrumentationScope.name.endsWith('instrumentation-pg')) this.queries += 1;
    else if (name === SPAN.tokenRefresh) this.tokens += 1;
    else if (name.startsWith(`${SPAN.connect} `)) this.connects += 1;
  }

  onStart(): void {
    // Only ended spans are counted.
  }

  async forceFlush(): Promise<void> {
    // Nothing is buffered.
  }

  async shutdown(): Promise<void> {
    // Nothing is open.
  }
}
