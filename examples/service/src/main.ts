import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp } from './app.js';
import { openDatabase } from './database.js';
import { addProbes } from './probes.js';
import { listenAt } from './settings.js';
import { stopTelemetry } from './telemetry.js';

/** How long load balancers may take to notice that the service is no longer ready, in milliseconds. */
const DRAIN_MS = Number(process.env['DRAIN_MS'] ?? 5_000);

const stopping = new AbortController();
// Once: a second signal ends the process at once.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

{
  await using database = await openDatabase();
  const app = createApp(database);
  addProbes(app, database.pool, stopping.signal);
  // Clients with an open connection must go elsewhere, or they would hold up the end of the server.
  app.addHook('onSend', async (_request, reply) => {
    if (stopping.signal.aborted) reply.header('connection', 'close');
  });
  await app.listen(listenAt);

  if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
  // Requests still arrive, and are served, until every load balancer has seen /readyz fail.
  await sleep(DRAIN_MS);
  // Then the server ends, and after it the pool, which no request needs any more.
  await app.close();
}
await stopTelemetry();
