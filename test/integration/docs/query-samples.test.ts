import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config, InstrumentedPool } from '../../../src/index.js';
import { newPool } from '../../../src/index.js';
import { summaryOf } from '../../../src/sql/summary.js';
import { ROOT } from '../../support/docs/code-blocks-markdown.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePostgres } from '../../support/servers.js';
import { meterSdk, tracerSdk } from '../../support/telemetry.js';
import { rejection } from '../../support/until.js';

type Fields = Record<string, unknown>;

const PAGE = readFileSync(join(ROOT, 'docs/guides/queries.md'), 'utf8');

/** A sample of telemetry from the page. */
function sample(name: string): Fields {
  const block = new RegExp(`^<!-- sample: ${name} -->\n\n\`\`\`json\n([^]*?)^\`\`\`$`, 'm').exec(PAGE);
  return JSON.parse(block?.[1] ?? 'null') as Fields;
}

const BY_SERVER = ['db.namespace', 'server.address', 'server.port', 'network.peer.address'];
const BY_RUN = ['pgauge.connection.pid', 'pid', 'duration_ms'];

/** Replaces values that differ from run to run by their types. */
const comparable = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]) =>
      [...BY_SERVER, ...BY_RUN].includes(key) ? [key, typeof value] : [key, value],
    ),
  );

describe('the telemetry shown in the guide to queries', () => {
  const server = usePostgres();
  const { meterProvider, points } = meterSdk();
  const { tracerProvider, span } = tracerSdk();
  const logger = new RecordingLogger();
  const SUMMARY = String(sample('span')['db.query.summary']);
  let pool: InstrumentedPool;

  beforeAll(async () => {
    const { host, port, user, password, database } = server();
    const config: Config = { host, port, user, password, database, sslMode: 'disable', maxOpenConns: 1 };
    const setUp = await newPool(config, { logger: new RecordingLogger() });
    await setUp.query(`create table customers (id int, name text); insert into customers values (7, 'Ada');
      create table orders (id int, customer int); insert into orders values (1, 7)`);
    await setUp.end();
    pool = await newPool(config, {
      ...{ logger, meterProvider, tracerProvider },
      ...{ poolName: 'orders', queryTelemetry: { rows: true }, slowQueryMs: 0.001 },
    });
    await pool.query(String(sample('span')['db.query.text']), [1]);
    await rejection(pool.query({ text: 'SELECT pg_sleep(60)', timeoutMs: 100 }));
  });
  afterAll(() => pool.end());

  test('is what the pool emits: metric', async () => {
    const [point] = (await points('db.client.operation.duration')).filter(
      ({ attributes }) => attributes['db.query.summary'] === SUMMARY,
    );
    expect(comparable(point?.attributes ?? {})).toEqual(comparable(sample('metric')));
  });

  test('is what the pool emits: span', () => {
    expect(comparable(span(SUMMARY).attributes)).toEqual(comparable(sample('span')));
  });

  test.each([
    ['slow', 'postgres slow query'],
    ['canceled', 'postgres query canceled'],
  ])('is what the pool emits: %s', (name, message) => {
    const [record] = logger.named(message);
    expect(comparable(record?.fields ?? {})).toEqual(comparable(sample(name)));
  });
});

describe('the summaries shown in the guide to queries', () => {
  const [, table = ''] = /^\| SQL .*\n\|[ -|]+\n((?:\|.*\n)+)/m.exec(PAGE) ?? [];
  const rows = [...table.matchAll(/^\| `(.+?)` +\| `(.+?)` +\|$/gm)].map(([, sql = '', summary = '']) => ({
    sql,
    summary,
  }));

  test('are at least four', () => {
    expect(rows.length).toBeGreaterThan(3);
  });

  test.each(rows)('are the built-in ones: $sql', ({ sql, summary }) => {
    expect(summaryOf(sql)).toBe(summary);
  });
});
