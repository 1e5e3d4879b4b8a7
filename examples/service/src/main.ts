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
// With `once`, a second signal ends the process immediately.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

{
  await using database = await openDatabase();
  const app = createApp(database);
  addProbes(app, database.pool, stopping.signal);
  // During shutdown, clients with keep-alive connections must reconnect elsewhere, or they would delay the shutdown.
  app.addHook('onSend', async (_request, reply) => {
    if (stopping.signal.aborted) reply.header('connection', 'close');
  });
  await app.listen(listenAt);

  if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
  // Requests still arrive and are served until every load balancer has noticed that /readyz fails.
  await sleep(DRAIN_MS);
  // Then close the server, and after it the pool, which is no longer used.
  await app.close();
}
await stopTelemetry();
