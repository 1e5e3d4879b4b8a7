import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createCa } from '../certificates.js';
import { startPostgres, type LocalPostgres } from '../postgres.js';
import { becomesTrue, isAlive } from '../processes.js';
import { usePostgres } from '../../test/support/servers.js';

const MODULE = new URL('../postgres.ts', import.meta.url).href;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function tcpClient(server: LocalPostgres, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const { host, port, user, password, database } = server;
  const client = new pg.Client({ host, port, user, password, database, ssl: false, ...config });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code,
  );
}

/** Starts a long query; once the server runs it, resolves with a promise of its error code. */
async function startSleeping(
  server: LocalPostgres,
  client: pg.Client,
): Promise<{ code: Promise<string | undefined> }> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const code = codeOf(client.query('SELECT pg_sleep(60)'));
  for (;;) {
    const { rowCount } = await server.query(
      `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`,
      [rows[0]?.pid],
    );
    if (rowCount === 1) return { code };
  }
}

function pidOf(server: LocalPostgres): number {
  if (server.pid === undefined) throw new Error('the server is down');
  return server.pid;
}

describe('a running PostgreSQL', () => {
  const postgres = usePostgres({ settings: { max_connections: '37' } });

  it('is PostgreSQL 18 with UTF8, UTC, the defaults and the given settings', async () => {
    const { rows } = await postgres().query<{ name: string; setting: string }>(
      'SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name COLLATE "C"',
      [['fsync', 'max_connections', 'server_encoding', 'server_version_num', 'TimeZone']],
    );
    expect(rows.map(({ setting }) => setting)).toEqual([
      'UTC',
      'off',
      '37',
      'UTF8',
      expect.stringMatching(/^18/),
    ]);
  });

  it('requires the password over TCP', async () => {
    const client = await tcpClient(postgres());
    expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: 'postgres' }]);
    await client.end();
    expect(await codeOf(tcpClient(postgres(), { password: 'wrong' }))).toBe('28P01');
  });

  it('keeps its log', async () => {
    await expect(postgres().query('SELECT nonsense_of_this_test')).rejects.toThrow('nonsense_of_this_test');
    expect(postgres().log()).toContain('nonsense_of_this_test');
  });

  it('refuses a second server on its port with a clear error', async () => {
    const { port } = postgres();
    await expect(startPostgres({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
  });

  it('runs under an account other than root', async () => {
    const { rows } = await postgres().query<{ status: string }>(
      `SELECT pg_read_file('/proc/self/status') AS status`,
    );
    expect(rows[0]?.status).not.toMatch(/^Uid:\s+0\s/m);
  });
});

describe('disturbing PostgreSQL', () => {
  const postgres = usePostgres();

  // An immediate shutdown sends clients only a warning, which is not an error of the query.
  it.each([
    ['fast', '57P01'],
    ['immediate', undefined],
  ] as const)('keeps port and data over a %s restart, and ends sessions with code %s', async (mode, code) => {
    const { port } = postgres();
    const pid = pidOf(postgres());
    await postgres().query(`CREATE TABLE kept_${mode} ()`);
    const client = await tcpClient(postgres());
    const sleeping = await startSleeping(postgres(), client);
    await postgres().restart({ mode });
    expect(await sleeping.code).toBe(code);
    expect(postgres().port).toBe(port);
    expect(postgres().pid).not.toBe(pid);
    await postgres().query(`SELECT FROM kept_${mode}`);
  });

  it('dies at once when killed, without a message to its clients, and recovers its data', async () => {
    await postgres().query('CREATE TABLE survivor ()');
    const client = await tcpClient(postgres());
    const backend = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const sleeping = await startSleeping(postgres(), client);
    await postgres().kill();
    // node-postgres' error for a connection that ends without a message has no code.
    expect(await sleeping.code).toBeUndefined();
    expect(postgres().pid).toBeUndefined();
    expect(isAlive(backend.rows[0]?.pid ?? 0)).toBe(false);
    expect(await codeOf(tcpClient(postgres()))).toBe('ECONNREFUSED');
    await postgres().start();
    await postgres().query('SELECT FROM survivor');
  });

  it('survives being killed again and again', async () => {
    for (let round = 0; round < 3; round += 1) {
      await postgres().kill();
      await postgres().start();
    }
    expect((await postgres().query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('starts again after a stop that keeps the data', async () => {
    await postgres().stop({ keepData: true });
    expect(await codeOf(tcpClient(postgres()))).toBe('ECONNREFUSED');
    await postgres().start();
    await postgres().query('SELECT FROM survivor');
  });
});

describe('starting and stopping PostgreSQL', () => {
  it('leaves neither process nor files behind, and afterwards keeps the log and refuses to start again', async () => {
    const server = await startPostgres();
    const pid = pidOf(server);
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(server.socketDir)).toBe(false);
    expect(server.log()).toContain('database system is shut down');
    await server.stop();
    await expect(server.start()).rejects.toThrow('data removed');
  });

  it('starts several at once', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => startPostgres()));
    const ports = new Set(servers.map(({ port }) => port));
    await Promise.all(servers.map((server) => server.stop()));
    expect(ports.size).toBe(3);
  });

  it("reports the server's message when a setting is wrong", async () => {
    await expect(startPostgres({ settings: { max_connections: 'many' } })).rejects.toThrow(/max_connections/);
  });

  it('ignores PG variables of the environment', async () => {
    const before = process.env['PGDATA'];
    process.env['PGDATA'] = '/nonexistent';
    try {
      await using server = await startPostgres();
      expect((await server.query('SHOW data_directory')).rows).toEqual([
        { data_directory: `${server.socketDir}/data` },
      ]);
    } finally {
      if (before === undefined) delete process.env['PGDATA'];
      else process.env['PGDATA'] = before;
    }
  });

  it('names the requested port when it is taken', async () => {
    const other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(startPostgres({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
    other.close();
  });

  it('uses TLS with the given certificate, and can require it', async () => {
    const ca = await createCa();
    // pg before 8.23 verifies the name localhost when it dials an address.
    const { certPem, keyPem } = await ca.issue({ ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] });
    await using server = await startPostgres({ ssl: { cert: certPem, key: keyPem }, requireSsl: true });
    const client = await tcpClient(server, { ssl: { ca: ca.certPem } });
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    await client.end();
    expect(rows).toEqual([{ ssl: true }]);
    expect(await codeOf(tcpClient(server))).toBe('28000');
  });
});

describe('a process that ends without stopping its PostgreSQL', () => {
  /** Runs a process that starts a server and then runs `then`; resolves with the server's PID and socket folder. */
  async function abandon(then: string, signal?: NodeJS.Signals): Promise<{ pid: number; socketDir: string }> {
    const script = `import { startPostgres } from ${JSON.stringify(MODULE)};
      const { pid, socketDir } = await startPostgres();
      console.log(JSON.stringify({ pid, socketDir }));
      ${then}`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    if (signal) child.kill(signal);
    await exited;
    return JSON.parse(line) as { pid: number; socketDir: string };
  }

  it.each<[string, string, NodeJS.Signals?]>([
    ['reached its end', ''],
    ['called process.exit', 'process.exit(0);'],
    [
      'threw',
      'setTimeout(() => { throw null; }, 1); process.on("uncaughtException", () => process.exit(3));',
    ],
    ['got SIGTERM', 'setInterval(() => {}, 1000);', 'SIGTERM'],
    ['got SIGKILL', 'setInterval(() => {}, 1000);', 'SIGKILL'],
  ])('stops its PostgreSQL too when it %s', async (_, then, signal) => {
    const { pid, socketDir } = await abandon(then, signal);
    expect(await becomesTrue(() => !isAlive(pid) && !existsSync(socketDir), 15_000)).toBe(true);
  });
});
