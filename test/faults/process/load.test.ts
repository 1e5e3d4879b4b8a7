import { beforeAll, describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { useProxy } from '../../support/proxy.js';
import { useLocalRds } from '../../support/servers.js';

const rds = useLocalRds();
const behind = useProxy(() => rds().postgres);

beforeAll(() => rds().createUser('plain', { password: 'static' }));

function number(line: string): number {
  return Number(/\d+/.exec(line)?.[0]);
}

describe('a process in an outage', () => {
  test('dials rarely and uses little CPU to fill its minimum, and fills it after the outage', async () => {
    const { user, password, database } = rds().postgres;
    behind().set({ refuse: true });
    const { host, port } = behind();
    const child = runScript(new URL('./scripts/outage.ts', import.meta.url), [], {
      env: { PG: JSON.stringify({ host, port, user, password, database }) },
      timeoutMs: 100_000,
    });
    // An eighth of the time; a loop without pauses would use all of it.
    expect(number(await child.line('busy for'))).toBeLessThan(500);
    expect(behind().accepted).toBeGreaterThan(3);
    expect(behind().accepted).toBeLessThanOrEqual(40);
    behind().set({ refuse: false });
    const endedAt = performance.now();
    await child.line('restored');
    // The longest pause between attempts is about 6 s; the next health check comes after 60 s.
    expect(performance.now() - endedAt).toBeLessThan(30_000);
    expect(await child.result).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('40 TLS connections opened at once', () => {
  test('block the event loop for less than 250 ms', async () => {
    const { host, port, database, caFile } = rds();
    const config = { host, port, user: 'plain', password: 'static', database, sslMode: 'verify-full' };
    const child = runScript(new URL('./scripts/tls-burst.ts', import.meta.url), [], {
      env: { PG: JSON.stringify(config), PGSSLROOTCERT: caFile },
      timeoutMs: 100_000,
    });
    const { code, lines, stderr } = await child.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const blockedMs = /^40 at once blocked for (\d+) ms$/.exec(lines[0] ?? '')?.[1];
    expect(Number(blockedMs)).toBeLessThan(250);
  });
});
