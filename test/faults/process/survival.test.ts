import { describe, expect, test } from 'vitest';
import { runScript } from '../../support/child.js';
import { usePostgres } from '../../support/servers.js';

const server = usePostgres();
const SURVIVOR = new URL('./scripts/survivor.ts', import.meta.url);

const DEPARTURES: [string, () => Promise<void>][] = [
  ['restart', () => server().restart()],
  [
    'kill',
    async () => {
      await server().kill();
      await server().start();
    },
  ],
];

describe('a process without an error listener', () => {
  test.each(DEPARTURES)(
    'survives the %s of its server, with idle connections and a checked-out client',
    async (_how, goes) => {
      const { host, port, user, password, database } = server();
      const child = runScript(SURVIVOR, [], {
        env: { PG: JSON.stringify({ host, port, user, password, database }) },
      });
      await child.line('3 idle');
      await goes();
      const { code, lines, stderr } = await child.result;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(lines).toEqual(['3 idle', 'lost', 'answer 1', 'released', 'ended']);
    },
  );
});
