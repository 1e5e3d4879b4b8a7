import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runScript, type Child } from '../../support/child.js';
import { useProxy } from '../../support/proxy.js';
import { useLocalRds, usePostgres } from '../../support/servers.js';

const server = usePostgres();
const rds = useLocalRds();
const proxy = useProxy(server);
const SCRIPT = new URL('./scripts/exit.ts', import.meta.url);
/** A generous bound for an exit, in milliseconds: well before any timer of a pool that could delay it. */
const LINGERED_MS = 10_000;

beforeEach(() => proxy().clear());

function run(scenario: string, at: { host: string; port: number } = server(), more: object = {}): Child {
  const { host, port } = at;
  const { user, password, database } = server();
  return runScript(SCRIPT, [scenario], {
    env: { PG: JSON.stringify({ host, port, user, password, database, ...more }) },
  });
}

async function expectExit(child: Child, ...lines: string[]): Promise<void> {
  const result = await child.result;
  expect({ code: result.code, signal: result.signal, stderr: result.stderr }).toEqual({
    code: 0,
    signal: null,
    stderr: '',
  });
  expect(result.lines).toEqual(lines);
  expect(result.lingeredMs).toBeLessThan(LINGERED_MS);
}

describe('a process', () => {
  test('exits after end()', async () => {
    await expectExit(run('end'), 'ended');
  });

  test('exits when its work is done without end()', async () => {
    await expectExit(run('forgotten'), 'done');
  });

  test('exits when its work is done without end() on a pool with its own dial function', async () => {
    await expectExit(run('forgotten-dialed'), 'done');
  });

  test('exits without end() while a minimum, stats loggers and a health check are active', async () => {
    await expectExit(run('forgotten-upkeep'), 'done');
  });

  test('exits without end() while the pool still tries to fill its minimum in an outage', async () => {
    await proxy().pause();
    const child = run('forgotten-outage', proxy());
    await expectExit(child, 'ECONNREFUSED');
    await proxy().listen();
  });

  test('exits after end() with idle connections to a silent server', async () => {
    const child = run('silent', proxy());
    await child.line('idle');
    proxy().set({ blackHole: true });
    await expectExit(child, 'idle', 'ended');
  });

  test('stays alive for an attempt whose hook hangs, until the connect deadline', async () => {
    await expectExit(run('hanging-hook'), 'ERR_PGAUGE_CONNECT_TIMEOUT', 'ended');
  });

  test('stays alive for a waiting acquire, until its timeout', async () => {
    await expectExit(run('waiting'), 'ERR_PGAUGE_ACQUIRE_TIMEOUT', 'ended');
  });

  test('stays alive while an idle connection is pinged, and gets the answer to its query', async () => {
    const child = run('stale', proxy());
    await child.line('idle');
    proxy().forgetOpen();
    await expectExit(child, 'idle', 'answer 2');
  });

  test('gets no signal handlers from a pool', async () => {
    await expectExit(run('signals'), '0 0');
  });

  test('is killed by SIGTERM in the middle of a query, like a process without a pool', async () => {
    const child = run('busy');
    await child.line('busy');
    child.kill('SIGTERM');
    expect(await child.result).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
  });
});

describe('a process over TLS', () => {
  beforeAll(() => rds().createUser('plain', { password: 'static' }));

  test('exits when its work is done without end()', async () => {
    const { host, port, database } = rds();
    const config = { user: 'plain', password: 'static', database, sslMode: 'require' };
    await expectExit(run('forgotten', { host, port }, config), 'done');
  });
});
