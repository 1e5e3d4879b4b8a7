import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installBuilt } from '../../support/packages/built-package.js';
import { runScript, type Child } from '../../support/child.js';
import { until } from '../../support/until.js';
import { usePostgres } from '../../support/servers.js';
import { accepts } from '../../support/listening.js';

const server = usePostgres();
const ROOT = join(import.meta.dirname, '../../..');
const RECIPE = join(ROOT, 'examples/graceful-shutdown/main.mjs');
let folder = '';

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pgauge-shutdown-')));
  await installBuilt(folder, { types: false });
  for (const name of ['pg', 'pino', '@opentelemetry/api']) {
    const place = join(folder, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), place);
  }
  copyFileSync(RECIPE, join(folder, 'main.mjs'));
  // It compiles the package first.
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the recipe; resolves with its process and URL. */
async function startService(): Promise<{ child: Child; url: string }> {
  const { host, port, user, password, database } = server();
  const child = runScript(pathToFileURL(join(folder, 'main.mjs')), [], {
    env: {
      PORT: '0',
      ...{ DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password, DB_NAME: database },
      DB_SSL_MODE: 'disable',
      PGAUGE_LOG_LEVEL: 'warn',
    },
  });
  const at = (await child.line('listening on port ')).split(' ').at(-1) ?? '';
  return { child, url: `http://127.0.0.1:${at}/` };
}

/** The number of the service's sessions; this test's own use the unix socket. */
async function sessions(condition = 'true'): Promise<number> {
  const { rows } = await server().query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where client_addr is not null and ${condition}`,
  );
  return rows[0]?.n ?? NaN;
}

/** Keeps every request of the service waiting until the returned function is called. */
async function holdUp(): Promise<() => Promise<void>> {
  const { socketDir: host, port, user, password, database } = server();
  const client = new pg.Client({ host, port, user, password, database, ssl: false });
  await client.connect();
  await client.query('begin; lock table visits');
  return () => client.end();
}

async function status(url: string): Promise<number> {
  const response = await fetch(url);
  await response.text();
  return response.status;
}

describe.each(['SIGTERM', 'SIGINT'] as const)('the documented service on %s', (signal) => {
  test('answers requests in progress, accepts no new ones, and exits with no connection left', async () => {
    await server().query('drop table if exists visits');
    await server().query('create table visits as select 0 as n');
    const { child, url } = await startService();
    expect(await status(url)).toBe(200);
    const letGo = await holdUp();
    // More requests than connections, so that some wait for one.
    const underWay = Array.from({ length: 25 }, () => status(url));
    await until('the pool is busy', async () => (await sessions("wait_event_type = 'Lock'")) === 10);
    child.kill(signal);
    const { hostname: host, port } = new URL(url);
    await until('nothing new is taken', async () => !(await accepts({ host, port: Number(port) })));
    await letGo();
    expect(await Promise.all(underWay)).toEqual(Array(25).fill(200));
    const { code, signal: killedBy, stderr } = await child.result;
    // Requests are delayed deliberately; on a slow machine long enough for the pool to log that it is saturated.
    const told = stderr
      .split('\n')
      .filter((line) => line !== '' && !line.includes('postgres pool saturated'));
    expect({ code, killedBy, told }).toEqual({ code: 0, killedBy: null, told: [] });
    await until('no session is left', async () => (await sessions()) === 0);
    expect((await server().query('select n from visits')).rows).toEqual([{ n: 26 }]);
  });
});

describe('the guide to graceful shutdown', () => {
  test('shows the code of the tested service', () => {
    const guide = readFileSync(join(ROOT, 'docs/graceful-shutdown.md'), 'utf8');
    const shown = /<!-- example: graceful-shutdown -->\s+```js\n([^]*?)```/.exec(guide)?.[1];
    expect(shown).toBeDefined();
    expect(readFileSync(RECIPE, 'utf8')).toContain(shown);
  });
});
