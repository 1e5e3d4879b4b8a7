import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import connectPgSimple from 'connect-pg-simple';
import session from 'express-session';
import { newPool } from 'pgauge';
import { config } from '../config.js';

const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
await pool.query('create schema web');
const store = new (connectPgSimple(session))({
  pool,
  schemaName: 'web',
  createTableIfMissing: true,
  pruneSessionInterval: false,
});
const sessions = session({ store, secret: 'of this example', resave: false, saveUninitialized: false });

type Request = IncomingMessage & { session: { visits?: number } };
const server = createServer((request, response) => {
  const respond = (error?: unknown): void => {
    const visitor = (request as Request).session;
    visitor.visits = (visitor.visits ?? 0) + 1;
    response.statusCode = error === undefined ? 200 : 500;
    response.end(String(visitor.visits));
  };
  sessions(request as never, response as ServerResponse as never, respond);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

/** A visitor who keeps the cookie. */
async function visitor(): Promise<string[]> {
  const seen: string[] = [];
  let cookie: string | undefined;
  for (let visit = 0; visit < 3; visit++) {
    const response = await fetch(url, cookie === undefined ? {} : { headers: { cookie } });
    cookie ??= response.headers.getSetCookie()[0]?.split(';')[0];
    seen.push(await response.text());
  }
  return seen;
}

const visitors = await Promise.all(Array.from({ length: 10 }, visitor));
console.log(JSON.stringify({ visitors, stat: pool.stat() }));
await new Promise((resolve) => server.close(resolve));
store.close();
await pool.end();
