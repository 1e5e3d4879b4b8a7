import { expect, test } from 'vitest';
import { canPipeline } from '../../src/connection/driver.js';
import { runScript } from '../support/child.js';

const MAIN = new URL('./main.ts', import.meta.url);
const SEED = '20261123';

test.each([
  ['one host', [], '0.33'],
  ['two hosts', ['--hosts', '2'], '0.2'],
  ...(canPipeline() ? [['pipelined queries', ['--pipelining', '16'], '0.2'] as const] : []),
] as const)(
  'a pool with %s under load and faults at random loses nothing, leaks nothing and answers rightly',
  { timeout: 300_000 },
  async (_, kind, minutes) => {
    const args = ['--minutes', minutes, '--seed', SEED, ...kind];
    const child = runScript(MAIN, args, { timeoutMs: 290_000 });
    const { code, lines, stderr } = await child.result;
    expect({ code, stderr }, lines.join('\n')).toEqual({ code: 0, stderr: '' });
    expect(lines[0], 'the seed is printed').toBe(`seed ${SEED}`);
    const found = new Map(
      lines.map((line) => line.split('|').map((cell) => cell.trim())).map((cells) => [cells[1], cells[2]]),
    );
    for (const measure of [
      'Operations',
      'Faults injected',
      'Connections opened',
      'Rows written, acknowledged',
    ]) {
      expect(Number(found.get(measure)?.replaceAll(' ', '')), measure).toBeGreaterThan(1);
    }
  },
);

test('the soak refuses a duration of 0', async () => {
  const { code, stderr } = await runScript(MAIN, ['--minutes', '0']).result;
  expect(code).toBe(2);
  expect(stderr).toMatch(/^usage: npm run soak/);
});
