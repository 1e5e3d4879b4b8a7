import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/process-state.js';
import { installBuilt, linkModules } from '../support/packages/built-package.js';
import { iamConfig, plainConfig } from '../support/rds-configs.js';
import { useLocalRds } from '../support/servers.js';

const run = promisify(execFile);
const server = useLocalRds();
// Builds the package.
const BUILD_TIMEOUT_MS = 180_000;

/** Holds two pools made by each copy, one with a password and one with tokens; prints what one reader collects. */
const PROGRAM = `
  import { createRequire } from 'node:module';
  import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
  import { metrics } from '@opentelemetry/api';
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  const { copies, plain, rds } = JSON.parse(process.env.CHECK);
  const require = createRequire(import.meta.url);
  const logger = { debug() {}, info() {}, warn() {} };
  const loaded = [];
  for (const name of copies) loaded.push(name.endsWith('.cjs') ? require(name) : await import(name));
  const pools = [], clients = [];
  for (const { newPool } of loaded)
    for (const config of [plain, rds]) pools.push(await newPool(config, { logger }));
  for (const [i, pool] of pools.entries()) for (let n = 0; n <= i; n++) clients.push(await pool.connect());
  await reader.forceFlush();
  const points = exporter.getMetrics().flatMap((r) => r.scopeMetrics).flatMap((s) => s.metrics)
    .flatMap((m) => m.dataPoints.map((point) => [m.descriptor.name, point]));
  const of = (name) => points.filter(([own]) => own === name).map(([, point]) => point);
  const sum = (found) => found.reduce((all, { value }) => all + (value.count ?? value), 0);
  const errors = await Promise.all(loaded.map(({ newPool }) => newPool({}).catch((error) => error)));
  console.log(JSON.stringify({
    names: of('db.client.connection.limit').map(({ attributes }) => attributes['db.client.connection.pool.name']),
    used: sum(of('db.client.connection.count').filter(({ attributes }) => attributes['db.client.connection.state'] === 'used')),
    created: sum(of('db.client.connection.create_time')),
    limit: sum(of('db.client.connection.limit')),
    fetches: sum(of('pgauge.auth.credentials.fetch.duration')),
    instances: loaded.every(({ ConfigError }) => errors.every((error) => error instanceof ConfigError)),
  }));
  for (const client of clients) client.release();
  for (const pool of pools) await pool.end();
  await reader.shutdown();`;

describe('several copies of the package in one process', () => {
  let folder: string;
  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'pgauge-copies-')));
    await installBuilt(folder);
    await linkModules(folder);
    const dist = join(folder, 'node_modules/pgauge/dist');
    cpSync(dist, join(folder, 'layer'), { recursive: true });
    cpSync(dist, join(folder, 'newer'), { recursive: true });
    const newer = join(folder, 'newer/index.cjs');
    const text = readFileSync(newer, 'utf8');
    const version = `VERSION = "${VERSION}"`;
    expect(text).toContain(version);
    writeFileSync(newer, text.replaceAll(version, 'VERSION = "9.9.9"'));
    for (const copy of ['layer', 'newer'])
      writeFileSync(join(folder, copy, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
  }, BUILD_TIMEOUT_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['an ES module beside CommonJS', ['pgauge', './node_modules/pgauge/dist/index.cjs'], 1],
    ['a bundler’s layers', ['pgauge', './layer/index.cjs'], 1],
    // Each version has its own meter, and signs with its own credentials.
    ['two versions', ['./layer/index.js', './newer/index.js'], 2],
  ])('have distinct pool names and complete series: %s', async (_title, copies, fetches) => {
    const plain = plainConfig(server());
    const rds = iamConfig(server(), { sslMode: 'verify-full' });
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...server().awsEnv,
      PGSSLROOTCERT: server().caFile,
      CHECK: JSON.stringify({ copies, plain, rds }),
    };
    const { stdout, stderr } = await run(process.execPath, ['program.mjs'], { cwd: folder, env });
    expect(stderr).toBe('');
    const names = [plain, rds].map((at) => `${at.host}:${at.port}/${at.database}`);
    const said = JSON.parse(stdout) as { names: string[] };
    expect({ ...said, names: said.names.sort() }).toEqual({
      names: [...names, ...names.map((name) => `${name}#2`)].sort(),
      used: 10,
      created: 10,
      limit: 40,
      fetches,
      instances: true,
    });
  });
});
