import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runScript, type Child } from '../../../test/support/child.js';
import { OtlpReceiver } from '../../../test/support/otlp/otlp.js';
import { until } from '../../../test/support/until.js';
import { startServer, type Server } from '../../ecosystem/server.js';

const TELEMETRY = new URL('../dist/telemetry.js', import.meta.url).href;
const BUSY = 25;

let server: Server;
beforeAll(async () => {
  server = await startServer();
  // Needed for the schema in which Drizzle records the migrations.
  await query(`grant create on database ${server.rds.database} to migrator`);
});
afterAll(() => server[Symbol.asyncDispose]());

const running = new Set<Child>();
// A failed test must not leave its service running.
afterEach(async () => {
  for (const service of running) service.kill('SIGKILL');
  await Promise.all([...running].map((service) => service.result));
  running.clear();
});

const query = async (sql: string): Promise<unknown[]> =>
  (await server.rds.postgres.query(sql, undefined, server.rds.database)).rows;
const sessions = (): Promise<unknown[]> =>
  query(`select pid from pg_stat_activity where usename = '${server.rds.user}'`);

function start(file: string, more: Record<string, string> = {}): Child {
  const service = runScript(new URL(`../dist/${file}`, import.meta.url), [], {
    env: { ...server.env, HOST: '127.0.0.1', PORT: '0', DRAIN_MS: '0', OTEL_SDK_DISABLED: 'true', ...more },
  });
  running.add(service);
  return service;
}

/** Blocks every order until the returned function is called. */
async function holdUp(): Promise<() => Promise<void>> {
  const { socketDir: host, port, user, password } = server.rds.postgres;
  const client = new pg.Client({ host, port, user, password, database: server.rds.database, ssl: false });
  await client.connect();
  await client.query('begin; lock table orders');
  return () => client.end();
}

const LISTENING = /Server listening at (http:[^"]*)/;
const address = async (service: Child): Promise<string> =>
  LISTENING.exec(await service.line(LISTENING))?.[1] ?? '';
const status = async (url: string): Promise<number> => (await fetch(url)).status;
const order = (url: string, body: object): Promise<Response> =>
  fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('migrates as the owner of the tables, and a second run changes nothing', async () => {
  for (const run of ['the first', 'the second']) {
    const { code, signal, stderr } = await start('migrate.js').result;
    expect({ run, code, signal, stderr }).toEqual({ run, code: 0, signal: null, stderr: '' });
  }
  expect(await query("select tableowner from pg_tables where tablename = 'orders'")).toEqual([
    { tableowner: 'migrator' },
  ]);
});

test('serves orders, refuses invalid ones, and measures its queries by summary', async () => {
  await using collector = new OtlpReceiver();
  const service = start('main.js', {
    NODE_OPTIONS: `--import ${TELEMETRY}`,
    OTEL_SDK_DISABLED: 'false',
    OTEL_SERVICE_NAME: 'orders',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: await collector.listen(),
  });
  const url = await address(service);
  await until('the service is ready', async () => (await status(`${url}/readyz`)) === 200);

  const placed = await order(url, { item: 'a book', quantity: 2 });
  expect(placed.status).toBe(201);
  const { id } = (await placed.json()) as { id: number };
  expect(await (await fetch(`${url}/orders/${id}`)).json()).toMatchObject({ item: 'a book', quantity: 2 });
  expect(await (await fetch(`${url}/orders`)).json()).toHaveLength(1);
  expect((await order(url, { item: '', quantity: 0 })).status).toBe(400);
  expect(await status(`${url}/orders/0`)).toBe(400);
  expect(await status(`${url}/orders/${id + 1}`)).toBe(404);

  service.kill('SIGTERM');
  expect(await service.result).toMatchObject({ code: 0, signal: null, stderr: '' });
  const points = collector.scopes
    .flatMap(({ metrics }) => metrics)
    .filter(({ name }) => name === 'db.client.operation.duration')
    .flatMap(({ histogram }) => histogram?.dataPoints ?? []);
  const summaries = points.map(({ attributes }) => attributes.find(({ key }) => key === 'db.query.summary'));
  expect(new Set(summaries.map((summary) => summary?.value.stringValue))).toEqual(
    new Set(['insert "orders"', 'select "orders"']),
  );
});

test('starts without the database, becomes ready once it answers, and stays ready through an outage', async () => {
  const { gate } = server.rds;
  gate.pause();
  const service = start('main.js');
  const url = await address(service);
  expect(await status(`${url}/livez`)).toBe(200);
  expect(await status(`${url}/readyz`)).toBe(503);
  await gate.resume();
  await until('the service is ready', async () => (await status(`${url}/readyz`)) === 200);

  gate.pause();
  gate.dropConnections();
  const early = order(url, { item: 'ordered in an outage', quantity: 1 });
  const refused = await order(url, { item: 'ordered too early', quantity: 1 });
  expect({ status: refused.status, retry: refused.headers.get('retry-after') }).toEqual({
    status: 503,
    retry: '1',
  });
  expect((await early).status).toBe(503);
  expect(await status(`${url}/readyz`)).toBe(200);
  await gate.resume();
  await until('orders are taken again', async () => (await order(url, { item: 'b', quantity: 1 })).ok);
  service.kill('SIGTERM');
  expect(await service.result).toMatchObject({ code: 0, signal: null, stderr: '' });
});

test('is no longer ready after SIGTERM, serves requests that still arrive, and leaves no session behind', async () => {
  const service = start('main.js', { DRAIN_MS: '3000' });
  const url = await address(service);
  await until('the service is ready', async () => (await status(`${url}/readyz`)) === 200);
  const before = (await query('select from orders')).length;
  const letGo = await holdUp();
  const early = Array.from({ length: BUSY }, () => order(url, { item: 'before SIGTERM', quantity: 1 }));
  await until('the pool is busy', async () => (await sessions()).length === 10);
  service.kill('SIGTERM');
  await until('the service is not ready', async () => (await status(`${url}/readyz`)) === 503);
  const late = order(url, { item: 'after SIGTERM', quantity: 1 });
  await letGo();
  const answers = await Promise.all([...early, late]);
  expect(answers.map((answer) => answer.status)).toEqual(Array(BUSY + 1).fill(201));
  expect(await service.result).toMatchObject({ code: 0, signal: null, stderr: '' });
  await until('no session is left', async () => (await sessions()).length === 0);
  expect(await query('select from orders')).toHaveLength(before + BUSY + 1);
});
