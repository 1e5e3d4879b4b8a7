// The minimal cost of a pool that records two values with the SDK: pg.Pool, with both recorded by hand.
import { context, metrics, SpanKind, trace } from '@opentelemetry/api';
import type { Pool } from 'pg';
import type { AnyPool } from './program.js';

/**
 * A pool whose queries record how long they waited for a connection and how long they used it; with `measured` also how
 * long the server took, with the attributes of the semantic conventions, and with `traced` a span with these attributes.
 */
export function withRecords(pool: Pool, measured: boolean, traced: boolean): AnyPool {
  const meter = metrics.getMeter('floor');
  const wait = meter.createHistogram('db.client.connection.wait_time', { unit: 's' });
  const use = meter.createHistogram('db.client.connection.use_time', { unit: 's' });
  const tracer = traced ? trace.getTracer('floor') : undefined;
  const duration = meter.createHistogram('db.client.operation.duration', { unit: 's' });
  const attributes = { 'db.client.connection.pool.name': 'floor' };
  const series = {
    ...attributes,
    'db.namespace': 'bench',
    'db.query.summary': 'SELECT',
    'db.system.name': 'postgresql',
    'server.address': 'localhost',
    'server.port': 1,
  };
  return {
    connect: () => pool.connect(),
    end: () => pool.end(),
    query: (text) =>
      new Promise((resolve, reject) => {
        const askedAt = performance.now();
        pool.connect((error, client, done) => {
          if (client === undefined) {
            reject(error ?? new Error('no client'));
            return;
          }
          const acquiredAt = performance.now();
          wait.record((acquiredAt - askedAt) / 1000, attributes);
          const span = tracer?.startSpan(
            'SELECT',
            { kind: SpanKind.CLIENT, attributes: series },
            context.active(),
          );
          client.query(text, (failed: Error | null, result) => {
            done(failed ?? undefined);
            const usedS = (performance.now() - acquiredAt) / 1000;
            use.record(usedS, attributes);
            if (measured) duration.record(usedS, series);
            span?.setAttributes({
              'network.peer.address': '127.0.0.1',
              'pgauge.connection.pid': 1,
              'db.response.returned_rows': 1,
            });
            span?.end();
            if (failed === null || (failed as unknown) === undefined) resolve(result);
            else reject(failed);
          });
        });
      }),
  };
}
