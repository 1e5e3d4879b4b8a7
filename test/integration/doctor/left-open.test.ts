import { describe, expect, it, onTestFinished } from 'vitest';
import { runScript } from '../../support/child.js';
import { useLocalRds } from '../../support/servers.js';
import { dropsConnections } from './drops-connections.js';
import { emptyHome, iamArgs } from './run-doctor.js';

const rds = useLocalRds();
const PROGRAM = new URL('./programs/left-open.ts', import.meta.url);

async function leftOpen(
  args: readonly string[],
): Promise<{ statuses: string[]; open: string[]; timers: string[] }> {
  const env = { ...emptyHome(), ...rds().awsEnv };
  const { lines, stderr, code } = await runScript(PROGRAM, [...iamArgs(rds()), ...args], {
    env,
    timeoutMs: 100_000,
  }).result;
  expect(code, stderr).toBe(0);
  return JSON.parse(lines.at(-1) ?? '') as Awaited<ReturnType<typeof leftOpen>>;
}

describe("after the doctor's checks", () => {
  it('nothing is open when every check passed, and the server has no session left', async () => {
    const { statuses, open, timers } = await leftOpen([]);
    expect(statuses).not.toContain('failed');
    expect({ open, timers }).toEqual({ open: [], timers: [] });
    const { rows } = await rds().postgres.query(
      `select pid from pg_stat_activity where application_name = 'pgauge doctor'`,
    );
    expect(rows).toEqual([]);
  });

  it('nothing is open if the server never answered', async () => {
    rds().gate.set({ blackhole: true });
    onTestFinished(() => rds().gate.set({ blackhole: false }));
    const { statuses, open, timers } = await leftOpen(['--timeout', '3']);
    expect(statuses[3]).toBe('failed');
    expect({ open, timers }).toEqual({ open: [], timers: [] });
  });

  it('nothing is open if packets were dropped', async () => {
    const { statuses, open, timers } = await leftOpen([
      '--port',
      String(await dropsConnections()),
      '--timeout',
      '3',
    ]);
    expect(statuses[2]).toBe('failed');
    expect({ open, timers }).toEqual({ open: [], timers: [] });
  });

  it('nothing is open if the login was refused', async () => {
    const { statuses, open, timers } = await leftOpen(['--database', 'nowhere']);
    expect(statuses[7]).toBe('failed');
    expect({ open, timers }).toEqual({ open: [], timers: [] });
  });

  it('nothing is open if the login was never answered', async () => {
    rds().gate.set({ delayMs: 600_000 });
    onTestFinished(() => rds().gate.set({ delayMs: 0 }));
    const { statuses, open, timers } = await leftOpen(['--timeout', '15']);
    expect(statuses[7]).toBe('failed');
    expect({ open, timers }).toEqual({ open: [], timers: [] });
  });
});
