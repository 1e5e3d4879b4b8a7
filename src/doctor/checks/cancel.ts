import { setTimeout as sleep } from 'node:timers/promises';
import { ok, warning, type Outcome } from '../report.js';
import { answering } from '../server-query.js';
import type { Session } from '../session.js';

/** Longer than a pool waits for a query to stop. */
const LONG_QUERY = 'select pg_catalog.pg_sleep(5)';
/** How long it runs before it is stopped, in milliseconds: it must have reached the server. */
const RUNS_MS = 100;

/**
 * Checks whether the server stops a query on request: a pool requests that for a query that times out or is aborted.
 */
export async function checkCancel(session: Session, signal: AbortSignal): Promise<Outcome> {
  return await answering(session, async () => {
    const client = await session.get('pool').connect({ signal });
    try {
      const stopping = new AbortController();
      const query = client.query({ text: LONG_QUERY, signal: stopping.signal }).catch((error: unknown) => {
        if (error !== stopping.signal.reason) throw error;
      });
      await Promise.race([query, sleep(RUNS_MS)]);
      stopping.abort();
      await query;
      const askedMs = performance.now();
      // Sent once the server has stopped the query before; if that takes too long, the pool closes the connection.
      const stopped = await client.query('select').then(
        () => true,
        () => false,
      );
      return judge(stopped, Math.round(performance.now() - askedMs));
    } finally {
      client.release();
    }
  });
}

function judge(stopped: boolean, waitedMs: number): Outcome {
  const facts = { stopped, waited_ms: waitedMs };
  if (stopped) return ok(`the server stopped a query after ${waitedMs} ms`, { facts });
  return warning(
    'cancel_ineffective',
    `the server went on with a query that it was asked to cancel ${waitedMs} ms before`,
    "give the role a statement_timeout, a little above queryTimeoutMs: what a pool stops runs on otherwise, and costs a connection each time. Proxies that pool connections may take no cancel requests; load balancers, firewalls and several PgBouncers without 'peers' may lose them",
    facts,
  );
}
