import { expect, test } from 'vitest';
import { runScript } from '../../../test/support/child.js';

test('npm start starts a server, migrates it, and runs an example on it', async () => {
  const { code, lines } = await runScript(new URL('../start.ts', import.meta.url), ['drizzle']).result;
  expect(code).toBe(0);
  const [migrated, transferred] = lines.map((line) => JSON.parse(line) as unknown);
  expect(migrated).toEqual({ done: ['1764000000000_accounts'] });
  expect(transferred).toMatchObject({ refused: '23514' });
});
