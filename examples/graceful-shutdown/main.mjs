import { createServer } from 'node:http';
import { newPool } from 'pgauge';

const {
  DB_HOST = '127.0.0.1',
  DB_PORT = '5432',
  DB_USER = 'app',
  DB_PASSWORD,
  DB_NAME = 'app',
} = process.env;
const pool = await newPool(
  {
    host: DB_HOST,
    port: Number(DB_PORT),
    user: DB_USER,
    ...(DB_PASSWORD && { password: DB_PASSWORD }),
    database: DB_NAME,
    sslMode: process.env.DB_SSL_MODE ?? 'verify-full',
  },
  // The longest time for which a client that is never released delays the shutdown.
  { endTimeoutMs: 10_000 },
);

const server = createServer(async (_request, response) => {
  try {
    const { rows } = await pool.query('update visits set n = n + 1 returning n');
    // During shutdown, clients with keep-alive connections must reconnect elsewhere.
    if (!server.listening) response.setHeader('connection', 'close');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ visits: rows[0].n }));
  } catch (error) {
    console.error(error);
    response.writeHead(503, { connection: 'close' }).end();
  }
});

async function shutDown() {
  // First the door: requests that are under way are answered, idle connections close.
  const closed = new Promise((resolve) => server.close(resolve));
  const impatience = setTimeout(() => server.closeAllConnections(), 10_000);
  await closed;
  clearTimeout(impatience);
  // Then the pool, which no request uses any more.
  await pool.end();
}

// `once`, so that a second signal ends the process immediately.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, shutDown);

server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`listening on port ${server.address().port}`);
});
