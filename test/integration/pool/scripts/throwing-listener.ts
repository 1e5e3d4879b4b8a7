import { setTimeout as sleep } from 'node:timers/promises';
import { childPool, say } from '../../../support/scripts/child-pool.js';

// A listener of the given event throws each time, which must not affect the pool.
const event = process.argv[2] ?? '';
process.on('uncaughtException', (error) => say(`uncaught: ${error.message}`));
const pool = await childPool({ maxOpenConns: 1 });
pool.on(event, () => {
  throw new Error(`${event} listener`);
});
for (let round = 0; round < 3; round += 1) {
  const client = await pool.connect();
  await client.query('select 1');
  client.release(round === 1);
  say('query worked');
}
await pool.end();
await sleep(20);
say(`used ${pool.stat().acquiredConns} waiting ${pool.waitingCount} ended ${pool.ended}`);
