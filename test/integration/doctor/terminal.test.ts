import { spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runScript } from '../../support/child.js';
import { useLocalRds } from '../../support/servers.js';
import { sessionsOf } from '../../support/sessions.js';
import { until } from '../../support/until.js';
import { MAIN, emptyHome, iamArgs } from './run-doctor.js';

const rds = useLocalRds();

function start(stdout: 'pipe' | number, ...args: readonly string[]) {
  const stdio: StdioOptions = ['ignore', stdout, 'pipe'];
  const command = ['--import', 'tsx', fileURLToPath(MAIN), 'doctor', ...iamArgs(rds()), ...args];
  const env = { PATH: process.env['PATH'] ?? '', ...emptyHome(), ...rds().awsEnv };
  const child = spawn(process.execPath, command, { env, stdio });
  const said = { stderr: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  return { child, said };
}

it('Ctrl-C ends the doctor at once: its findings are printed, and the server has no session left', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const asked = once(silent, 'connection');
  const run = runScript(MAIN, ['doctor', ...iamArgs(rds())], {
    env: {
      ...emptyHome(),
      ...rds().awsEnv,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    },
    timeoutMs: 100_000,
  });
  await asked;
  run.kill('SIGINT');
  const { signal, lines, stderr } = await run.result;
  expect({ signal, stderr }).toEqual({ signal: 'SIGINT', stderr: '' });
  expect(lines.some((line) => line.startsWith('✓ headroom'))).toBe(true);
  await until('nobody is connected', async () => {
    return (await sessionsOf(rds().postgres, 'pgauge doctor')) === 0;
  });
});

describe("the reader of the doctor's output", () => {
  it.each([[[]], [['--json']]])('may close the pipe early: %j', async (args) => {
    const { child, said } = start('pipe', ...args);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, ...said }).toEqual({ code: 0, stderr: '' });
  });

  it.each([[[]], [['--json']]])('sees exit code 1 when the report cannot be written: %j', async (args) => {
    const full = openSync('/dev/full', 'w');
    const { child, said } = start(full, ...args);
    closeSync(full);
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(1);
    expect(said.stderr).toContain('the report could not be written: ENOSPC');
  });
});
