import { setTimeout as sleep } from 'node:timers/promises';
import { childPool, say } from '../../../support/scripts/child-pool.js';

// Has no error listener on the pool or a client, while the server goes away and comes back.
const pool = await childPool();
const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()));
const held = clients.pop();
for (const client of clients) client.release();
say(`${pool.idleCount} idle`);
while (pool.totalCount > 0) await sleep(10);
say('lost');
for (;;) {
  try {
    const { rows } = await pool.query<{ n: number }>('select 1 as n');
    say(`answer ${rows[0]?.n}`);
    break;
  } catch {
    await sleep(50);
  }
}
held?.release();
say('released');
await pool.end();
say('ended');
