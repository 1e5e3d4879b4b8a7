import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_AUTH } from '../../examples/demo/auth-option.js';
import type { Load } from '../../examples/load/control.js';
import type { Truth } from '../../examples/load/truth.js';
import { BACKENDS } from '../../src/auth/backends.js';
import { canPipeline } from '../../src/connection/driver.js';
import { runScript } from '../support/child.js';
import { useLocalRds } from '../support/servers.js';
import { until } from '../support/until.js';
import { ServerProcess } from '../support/server-process.js';

const rds = useLocalRds();
const folder = mkdtempSync(join(tmpdir(), 'pgauge-load-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SCRIPT = new URL('../../examples/load/main.ts', import.meta.url);

interface Ready {
  readonly pool: string;
  readonly instanceId: string;
  readonly metricsUrl: string;
  readonly controlUrl: string;
}

const running: ServerProcess[] = [];
afterEach(async () => {
  for (const app of running.splice(0)) await app.stop();
});

function start(env: Record<string, string>, ...flags: string[]): ServerProcess {
  const app = new ServerProcess('demo:load', {
    program: process.execPath,
    args: ['--import', 'tsx', SCRIPT.pathname, '--control-port', '0', ...flags],
    env,
  });
  running.push(app);
  return app;
}

/** Starts the application on the file's server, with keys from a credentials file. */
async function startLoad(...flags: string[]): Promise<{ app: ServerProcess; ready: Ready }> {
  const { host, port, user, database, region, caFile, awsEnv } = rds();
  const credentialsFile = join(folder, 'credentials');
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = awsEnv;
  writeFileSync(credentialsFile, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`);
  const connection = join(folder, 'connection.json');
  writeFileSync(connection, JSON.stringify({ host, port, user, database, region, caFile, credentialsFile }));
  const app = start(
    { LOCAL_RDS_CONNECTION: connection, OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=one' },
    ...flags,
  );
  const line = await app.until(() => /^\{.*\}$/m.exec(app.output)?.[0]);
  return { app, ready: JSON.parse(line) as Ready };
}

const stat = async ({ controlUrl }: Ready): Promise<Truth> =>
  (await (await fetch(`${controlUrl}/stat`)).json()) as Truth;
const load = ({ controlUrl }: Ready, change: Partial<Load> | Record<string, unknown>): Promise<Response> =>
  fetch(`${controlUrl}/load`, { method: 'POST', body: JSON.stringify(change) });

describe('the application under load', () => {
  test('works, counts its operations, and ends on SIGTERM', async () => {
    const { app, ready } = await startLoad('--pool-name', 'p1', '--clients', '3');
    expect(ready).toMatchObject({ pool: 'p1', instanceId: 'one' });
    await until('some work', async () => (await stat(ready)).work.acquires > 20);
    await load(ready, { clients: 0 });
    const truth = await until('rest', async () => {
      const now = await stat(ready);
      return now.stat.acquiredConns === 0 ? now : undefined;
    });
    expect(truth.events.acquire).toBe(truth.stat.acquireCount);
    // One more for the table that the application creates.
    expect(truth.work.acquires + 1).toBe(truth.events.acquire);
    expect(truth.events.release).toBe(truth.events.acquire);
    expect(await (await fetch(ready.metricsUrl)).text()).toContain(
      'db_client_connection_limit{db_client_connection_pool_name="p1"',
    );
    await app.stop();
    expect(app.exitCode).toBe(0);
  });

  test('leaks clients, fails queries and discards connections on request, and stops again', async () => {
    const { ready } = await startLoad('--clients', '0', '--max-conns', '4');
    expect((await stat(ready)).work.acquires).toBe(0);
    await load(ready, { leak: 3 });
    expect(await stat(ready)).toMatchObject({ leaked: 3, stat: { acquiredConns: 3 } });
    await load(ready, { clients: 2, thinkMs: 1, queryMs: 1, failing: 0.5, discard: 0.5 });
    await until('errors and closed connections', async () => {
      const { work, events } = await stat(ready);
      return (work.errors['22012'] ?? 0) > 2 && events.remove > 2;
    });
    await load(ready, { leak: 0, clients: 0 });
    await until('rest', async () => (await stat(ready)).stat.acquiredConns === 0);
    expect(await stat(ready)).toMatchObject({ leaked: 0 });
  });

  test.runIf(canPipeline())('shares connections between queries on request', async () => {
    const { ready } = await startLoad('--pipelining', '8', '--max-conns', '2', '--clients', '12');
    const shared = /^pgauge_pool_pipelined\{[^}]*\} ([1-9]\d*)/m;
    await until('queries that share a connection', async () =>
      shared.test(await (await fetch(ready.metricsUrl)).text()),
    );
    expect((await stat(ready)).work.errors).toEqual({});
  });

  test('refuses an invalid load', async () => {
    const { ready } = await startLoad('--clients', '0');
    const refusals = [];
    for (const change of [{ speed: 1 }, { clients: -1 }, { thinkMs: 'long' }]) {
      const response = await load(ready, change);
      refusals.push([response.status, await response.json()]);
    }
    expect(refusals).toEqual([
      [400, { error: 'unknown: speed' }],
      [400, { error: 'clients must be a number from 0' }],
      [400, { error: 'thinkMs must be a number from 0' }],
    ]);
  });

  test('starts its own server when none is given', async () => {
    const app = start({}, '--clients', '1');
    const line = await app.until(() => /^\{.*\}$/m.exec(app.output)?.[0]);
    const ready = JSON.parse(line) as Ready;
    await until('some work', async () => (await stat(ready)).work.queries > 0);
    await app.stop();
    expect(app.exitCode).toBe(0);
  });

  test.each(Object.keys(BACKENDS).filter((name) => name !== DEFAULT_AUTH))(
    'logs in with %s on its own server',
    async (auth) => {
      const app = start({}, '--clients', '2', '--max-lifetime', '1', '--auth', auth);
      const line = await app.until(() => /^\{.*\}$/m.exec(app.output)?.[0]);
      const ready = JSON.parse(line) as Ready;
      await until('connections that were replaced', async () => {
        const { work, stat: now } = await stat(ready);
        expect(work.errors).toEqual({});
        return work.queries > 0 && now.newConnsCount > 4;
      });
      const served = await (await fetch(ready.metricsUrl)).text();
      const provider = auth === 'custom' ? 'vault' : auth;
      expect(served).toMatch(
        new RegExp(
          `^pgauge_auth_token_refresh_duration_count\\{[^}]*pgauge_auth_provider_name="${provider}"`,
          'm',
        ),
      );
      await app.stop();
      expect(app.exitCode).toBe(0);
    },
  );

  test('says that the given server supports one backend only, and starts another server for another backend', async () => {
    const app = start(
      { LOCAL_RDS_CONNECTION: 'connection.json' },
      '--clients',
      '0',
      '--auth',
      'passwordFile',
    );
    await app.until(() => /^\{.*\}$/m.exec(app.output)?.[0]);
    expect(app.output).toContain(
      'demo:load: the server of connection.json takes awsRdsIam only; one is started for passwordFile',
    );
  });

  test.each([['--clients', 'many'], ['--port', '1'], ['--auth', 'oracle'], ['5']])(
    'prints an explanation when given %s %s',
    async (...args) => {
      const { code, stderr } = await runScript(SCRIPT, args.filter(Boolean)).result;
      expect(code).toBe(2);
      expect(stderr).toContain('usage: npm run demo:load');
    },
  );

  test('names the missing file when the given server does not exist', async () => {
    const { code, stderr } = await runScript(SCRIPT, [], {
      env: { LOCAL_RDS_CONNECTION: join(folder, 'nowhere.json') },
    }).result;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^demo:load: ENOENT.*nowhere\.json/m);
  });
});
