import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';

const server = usePostgres();
const proxy = useProxy(server);
const SCRIPT = new URL('./scripts/frozen.ts', import.meta.url);

/** A new connection that opens before the second is known to be dead may serve both. */
const AFTERWARDS = /^2: fulfilled fulfilled, [34] dialled$/;

beforeEach(() => proxy().clear());

/** Lets the process work, freezes it while something happens, and has it work again as soon as it thaws. */
async function workAfterFreeze(meanwhile: () => unknown): Promise<string> {
  const { user, password, database } = server();
  const { host, port } = proxy();
  const child = runScript(SCRIPT, [], {
    env: { PG: JSON.stringify({ host, port, user, password, database }) },
  });
  expect(await child.line('1: ')).toBe('1: fulfilled fulfilled, 2 dialled');
  child.kill('SIGSTOP');
  await meanwhile();
  await sleep(1_500);
  child.kill('SIGUSR2');
  child.kill('SIGCONT');
  const line = await child.line('2: ').catch(String);
  child.kill('SIGTERM');
  expect((await child.result).code).toBe(0);
  return line;
}

describe('a process that was frozen', () => {
  test('loses no query when its sessions ended in the meantime', async () => {
    const end = (): Promise<unknown> =>
      server().query(
        `select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
    expect(await workAfterFreeze(end)).toMatch(AFTERWARDS);
  });

  test('loses no query when the network dropped its connections in the meantime', async () => {
    const forget = (): void => proxy().forgetOpen();
    expect(await workAfterFreeze(forget)).toMatch(AFTERWARDS);
  });
});
