import { expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { usePostgres } from '../../support/servers.js';

const server = usePostgres();

test("the package loaded within a request keeps none of that request's async context on its connections", async () => {
  const { host, port, user, password, database } = server();
  const PG = JSON.stringify({ host, port, user, password, database });
  const script = new URL('./scripts/loaded-late.ts', import.meta.url);
  const { lines, stderr } = await runScript(script, [], { env: { PG } }).result;
  expect({ seen: JSON.parse(lines.join('') || 'null') as unknown, stderr }).toEqual({
    seen: { afterConnect: 'none', connect: 'none', socket: 'none', resetSession: 'none' },
    stderr: '',
  });
});
