import { mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installBuilt, writeProgram } from '../../support/packages/built-package.js';
import { usePostgres } from '../../support/servers.js';
import type { Told, ToldSpan } from './apps/telemetry.js';
import type { ActiveInCallback } from './apps/work.js';

const ROOT = join(import.meta.dirname, '../../..');
const INSTRUMENTATION = '@opentelemetry/instrumentation-pg';
/** The database of the app's own pool, which distinguishes the two. */
const PLAIN = 'plain';
const run = promisify(execFile);
const server = usePostgres();

let folder: string;
beforeAll(async () => {
  await server().query(`create database ${PLAIN}`);
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pgauge-apps-')));
  await installBuilt(folder, { types: false });
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter((entry) => !entry.startsWith('.')))
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  for (const name of ['work', 'telemetry'])
    await writeProgram(new URL(`apps/${name}.ts`, import.meta.url), join(folder, `${name}.mjs`));
  writeFileSync(
    join(folder, 'loader.mjs'),
    "import { register } from 'node:module'; register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface App {
  readonly modules: 'CommonJS' | 'ESM' | 'ESM with the loader hook';
  readonly registered: 'before' | 'after';
  /** If false, only the app's own pool is used. */
  readonly withOurs: boolean;
  /** Whether to register the View that the guide recommends. */
  readonly denyOperationName?: boolean;
  /** Whether our pool measures its queries itself. */
  readonly queryTelemetry?: boolean;
}

interface Outcome extends Told {
  readonly active: ActiveInCallback;
}

/** The app's main module, as its author would write it for that module system. */
function mainModule(app: App): string {
  const { modules, registered, withOurs, denyOperationName = false, queryTelemetry = false } = app;
  const options = `{ queryTelemetry: ${queryTelemetry}, logger: { debug() {}, info() {}, warn() {} } }`;
  const makeOurs = `const ours = await newPool(config, ${options});`;
  const isEsm = modules !== 'CommonJS';
  // A late registration patches only modules that are required after it.
  const requirePg = isEsm
    ? "const pg = (await import('node:module')).createRequire(import.meta.url)('pg');"
    : "const pg = require('pg');";
  const importPg = isEsm ? "const { default: pg } = await import('pg');" : "const pg = require('pg');";
  const loadOurs = isEsm
    ? "const { newPool } = await import('pgauge');"
    : "const { newPool } = require('pgauge');";
  const early = isEsm ? "await import('pg');" : "require('pg');";
  const register = `const collect = register({ denyOperationName: ${denyOperationName} });`;
  const steps =
    registered === 'before'
      ? [register, importPg, withOurs && loadOurs, withOurs && makeOurs]
      : [
          early,
          withOurs && loadOurs,
          withOurs && makeOurs,
          withOurs && "await ours.query('select 0');",
          register,
          requirePg,
          withOurs && 'ours.reset();',
        ];
  const body = `
    const { register } = await import('./telemetry.mjs');
    const config = JSON.parse(process.env.CONFIG);
    const plainConfig = { ...config, database: '${PLAIN}', max: 1 };
    delete plainConfig.sslMode;
    delete plainConfig.maxOpenConns;
    ${steps.filter((step) => step !== false).join('\n')}
    const { useOurs, usePlain } = await import('./work.mjs');
    const active = {};
    ${withOurs ? 'await useOurs(ours, active);' : ''}
    const plain = new pg.Pool(plainConfig);
    await usePlain(plain, new pg.Client(plainConfig));
    console.log(JSON.stringify({ ...(await collect()), active }));
    await plain.end();
    ${withOurs ? 'await ours.end();' : ''}`;
  return isEsm ? body : `(async () => {${body}})();`;
}

let apps = 0;

async function outcomeOf(app: App): Promise<Outcome> {
  const file = join(folder, `app-${++apps}.${app.modules === 'CommonJS' ? 'cjs' : 'mjs'}`);
  writeFileSync(file, mainModule(app));
  const { host, port, user, password, database } = server();
  const config = { host, port, user, password, database, sslMode: 'disable', maxOpenConns: 1 };
  const loader = app.modules === 'ESM with the loader hook' ? ['--import', join(folder, 'loader.mjs')] : [];
  const { stdout } = await run(process.execPath, [...loader, file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], CONFIG: JSON.stringify(config) },
    timeout: 100_000,
  });
  return JSON.parse(stdout) as Outcome;
}

const namespaceOf = ({ attributes }: { attributes: Readonly<Record<string, unknown>> }): unknown =>
  attributes['db.namespace'];

/** The query spans for one database, by default the instrumentation's, by the request that is their direct parent. */
function queriesByRequest(
  { spans }: Told,
  database: string,
  isOne: (span: ToldSpan) => boolean = isQuery,
): Record<string, string[]> {
  const requests = new Map(spans.filter(({ scope }) => scope === 'app').map((span) => [span.id, span.name]));
  const found: Record<string, string[]> = {};
  for (const span of spans.filter((one) => isOne(one) && namespaceOf(one) === database)) {
    const request = requests.get(span.parent ?? '') ?? 'none';
    (found[request] ??= []).push(span.name.replace(` ${database}`, ''));
  }
  return found;
}

/** The durations of queries on one database: operation, error and count. */
function durations({ series }: Told, database: string): unknown[][] {
  return series
    .filter((one) => one.name === 'db.client.operation.duration' && namespaceOf(one) === database)
    .map(({ attributes, value }) => [attributes['db.operation.name'], attributes['error.type'], value])
    .sort();
}

const isQuery = ({ scope, name }: ToldSpan): boolean =>
  scope === INSTRUMENTATION && name.startsWith('pg.query');

const isOurQuery = ({ scope, attributes }: ToldSpan): boolean =>
  scope === 'pgauge' && 'db.query.summary' in attributes;

/** The telemetry of the app's own pool and client, without what differs from run to run. */
function toldOfPlain({ spans, series }: Told): unknown {
  const names = new Map(spans.map(({ id, name }) => [id, name]));
  return {
    spans: spans
      .filter((span) => span.scope === INSTRUMENTATION && namespaceOf(span) === PLAIN)
      .map(({ name, parent, attributes }) => ({ name, parent: names.get(parent ?? ''), attributes })),
    series: series.filter(
      (one) =>
        one.scope === INSTRUMENTATION &&
        (namespaceOf(one) === PLAIN ||
          String(one.attributes['db.client.connection.pool.name']).endsWith(`/${PLAIN}`)),
    ),
  };
}

const APPS = (['CommonJS', 'ESM', 'ESM with the loader hook'] as const).flatMap((modules) =>
  (['before', 'after'] as const).map((registered) => ({ modules, registered })),
);

describe.each(APPS)('instrumentation-pg, registered $registered pgauge, in an app of $modules', (app) => {
  let told: Outcome;
  let database: string;
  beforeAll(async () => {
    ({ database } = server());
    told = await outcomeOf({ ...app, withOurs: true });
  });

  test('has one query span for each query, below the request that made it', () => {
    expect(queriesByRequest(told, database)).toEqual({
      'a new connection': ['pg.query:SELECT'],
      promise: ['pg.query:SELECT'],
      callback: ['pg.query:SELECT'],
      failing: ['pg.query:SELECT'],
      transaction: ['pg.query:BEGIN', 'pg.query:COMMIT'],
      'queued promise': ['pg.query:SELECT'],
      'queued callback': ['pg.query:SELECT'],
      'queued connect': ['pg.query:SELECT'],
      'queued connect callback': ['pg.query:SELECT'],
      'after a pause': ['pg.query:SELECT'],
    });
  });

  test('leaves the span of the caller active in its callback', () => {
    expect(told.active).toEqual({
      callback: true,
      'queued callback': true,
      'queued connect callback': true,
    });
  });

  test('measures the duration of each query', () => {
    expect(durations(told, database)).toEqual([
      ['BEGIN', undefined, 1],
      ['COMMIT', undefined, 1],
      ['SELECT', undefined, 8],
      ['SELECT', '22012', 1],
    ]);
  });

  test('adds no series for the pgauge pool', () => {
    const ofConnections = told.series.filter(({ name }) => name.startsWith('db.client.connection.'));
    const foreign = ofConnections.filter(({ scope }) => scope !== 'pgauge');
    const names = foreign.map(({ attributes }) => attributes['db.client.connection.pool.name']);
    expect(names.filter((name) => !String(name).endsWith(`/${PLAIN}`))).toEqual([]);
    const used = ofConnections.filter(
      ({ name, attributes }) =>
        name === 'db.client.connection.count' &&
        attributes['db.client.connection.state'] === 'idle' &&
        String(attributes['db.client.connection.pool.name']).endsWith(`/${database}`),
    );
    expect(used.map(({ scope, value }) => [scope, value])).toEqual([['pgauge', 1]]);
  });

  test('adds no connect span to the one of the pgauge pool, which is below its acquire', () => {
    const parents = new Map(told.spans.map((span) => [span.id, span]));
    const connects = told.spans.filter(
      (span) => /connect/i.test(span.name) && namespaceOf(span) === database && !isQuery(span),
    );
    const [connect] = connects;
    const acquire = parents.get(connect?.parent ?? '');
    expect(connects.map(({ scope, name }) => [scope, name])).toEqual([['pgauge', `CONNECT ${database}`]]);
    expect([acquire?.name, parents.get(acquire?.parent ?? '')?.name]).toEqual([
      'pgauge.pool.acquire',
      'a new connection',
    ]);
  });

  test("reports the same for the app's own pool and client as without pgauge", async () => {
    const without = await outcomeOf({ ...app, withOurs: false });
    expect(toldOfPlain(told)).toEqual(toldOfPlain(without));
    const pools = told.spans.filter(({ name }) => name === 'pg-pool.connect');
    // A late registration, with pgauge or without, is too late for pg-pool.
    expect(pools.map(namespaceOf)).toEqual(app.registered === 'before' ? [PLAIN, PLAIN] : []);
    expect(queriesByRequest(told, PLAIN)).toEqual({
      plain: ['pg.query:SELECT', 'pg.query:SELECT'],
      client: ['pg.query:SELECT'],
    });
  });
});

describe.each(APPS)(
  'instrumentation-pg, registered $registered a pool that measures its queries, in an app of $modules',
  (app) => {
    let told: Outcome;
    let database: string;
    beforeAll(async () => {
      ({ database } = server());
      told = await outcomeOf({ ...app, withOurs: true, queryTelemetry: true });
    });

    test('has no span of its queries, each of which has one pgauge span below the request that made it', () => {
      expect(queriesByRequest(told, database)).toEqual({});
      expect(queriesByRequest(told, database, isOurQuery)).toEqual({
        'a new connection': ['select'],
        promise: ['select'],
        callback: ['select'],
        failing: ['select'],
        transaction: ['begin', 'commit'],
        'queued promise': ['select'],
        'queued callback': ['select'],
        'queued connect': ['select'],
        'queued connect callback': ['select'],
        'after a pause': ['select'],
      });
    });

    test('has no series of its queries, which are in the series of pgauge', () => {
      const ofOurs = told.series.filter(
        (one) => one.name === 'db.client.operation.duration' && namespaceOf(one) === database,
      );
      const counted = ofOurs.map(({ scope, attributes, value }) => [
        scope,
        attributes['db.query.summary'],
        attributes['error.type'],
        value,
      ]);
      expect(counted.sort()).toEqual([
        ['pgauge', 'begin', undefined, 1],
        ['pgauge', 'commit', undefined, 1],
        ['pgauge', 'select', undefined, 8],
        ['pgauge', 'select', '22012', 1],
      ]);
    });

    test('leaves the span of the caller active in its callback', () => {
      expect(Object.values(told.active)).toEqual([true, true, true]);
    });

    test("reports the same for the app's own pool and client as without pgauge", async () => {
      expect(toldOfPlain(told)).toEqual(toldOfPlain(await outcomeOf({ ...app, withOurs: false })));
    });
  },
);

describe('the View in the guide', () => {
  test('keeps one series of durations for each outcome, whatever the queries are', async () => {
    const app: App = { modules: 'CommonJS', registered: 'before', withOurs: true, denyOperationName: true };
    const { database } = server();
    expect(durations(await outcomeOf(app), database)).toEqual([
      [undefined, undefined, 10],
      [undefined, '22012', 1],
    ]);
  });
});
