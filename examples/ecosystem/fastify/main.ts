import { fastify } from 'fastify';
import { newPool } from 'pgauge';
import { config } from '../config.js';

// The longest time for which a client that is never released delays the shutdown.
const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true, endTimeoutMs: 10_000 });
const app = fastify();

app.post('/visits', async () => {
  const { rows } = await pool.query<{ balance: number }>(
    "update account set balance = balance + 1 where owner = 'bob' returning balance",
  );
  return { visits: rows[0]?.balance };
});

// During shutdown, close keep-alive connections; otherwise they would keep the server open.
app.addHook('onSend', async (_request, reply) => {
  if (!app.server.listening) reply.header('connection', 'close');
});

async function shutDown() {
  // Close the server first: it answers the requests in progress. Only then is the pool unused.
  await app.close();
  await pool.end();
}

// `once`, so that a second signal ends the process immediately.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void shutDown());

console.log(await app.listen({ port: Number(process.env['PORT'] ?? 8080) }));
