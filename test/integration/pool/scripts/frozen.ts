import { childPool, say } from '../../../support/scripts/child-pool.js';

// Works on each signal, and is frozen in between, like a Lambda function.
const pool = await childPool({ maxOpenConns: 2 });
const alive = setInterval(() => undefined, 1_000);

let round = 0;
async function work(): Promise<void> {
  const answers = await Promise.allSettled([pool.query('select 1'), pool.query('select 2')]);
  round += 1;
  say(`${round}: ${answers.map(({ status }) => status).join(' ')}, ${pool.stat().newConnsCount} dialled`);
}

process.on('SIGUSR2', () => void work());
process.once('SIGTERM', () => {
  clearInterval(alive);
  void pool.end();
});
// Both connections are open before the freeze: one whose dial ends after the thaw is new, and is not pinged.
for (const client of await Promise.all([pool.connect(), pool.connect()])) client.release();
await work();
