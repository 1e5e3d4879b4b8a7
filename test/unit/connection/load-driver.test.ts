import { expect, it } from 'vitest';
import { runScript } from '../../support/child.js';

const SCRIPT = new URL('../../support/scripts/loaded-driver.ts', import.meta.url);

async function loadedBy(loader: string): Promise<unknown> {
  const { lines } = await runScript(SCRIPT, [loader]).result;
  return JSON.parse(lines.join(''));
}

it('loads pg without compiling fetch, and leaves the globals as they were', async () => {
  const [alone, pgauge] = await Promise.all([loadedBy('pg'), loadedBy('pgauge')]);
  // From Node 21 there is a `navigator`, which pg asks first.
  const navigator = 'navigator' in globalThis;
  expect(alone).toEqual({ fetch: !navigator, navigator, unchanged: true });
  expect(pgauge).toEqual({ fetch: false, navigator, unchanged: true });
});
