import type { FastifyInstance } from 'fastify';
import type { InstrumentedPool } from 'pgauge';

const RETRY_MS = 1_000;

/**
 * Adds the probes of Kubernetes.
 *
 * `/livez` shows that the process responds; it never queries the database, because a restart would not fix an outage.
 * `/readyz` is 503 until the pool has its first connections, and again once the service is stopping. It stays 200
 * while the database is down, or all instances would leave the load balancer at the same time.
 */
export function addProbes(app: FastifyInstance, pool: InstrumentedPool, stopping: AbortSignal): void {
  let ready = false;
  void waitForPool(pool, stopping).then((connected) => (ready = connected));
  app.get('/livez', { logLevel: 'warn' }, () => ({ alive: true }));
  app.get('/readyz', { logLevel: 'warn' }, (_request, reply) =>
    reply.code(ready && !stopping.aborted ? 200 : 503).send({ ready: ready && !stopping.aborted }),
  );
}

async function waitForPool(pool: InstrumentedPool, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await pool.ready({ signal });
      return true;
    } catch {
      // The pool has logged the reason.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return false;
}
