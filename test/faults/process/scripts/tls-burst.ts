import { childPool, say } from '../../../support/scripts/child-pool.js';

const CONNECTIONS = 40;
const TRIES = 5;
const SAMPLE_MS = 1;

/** The longest time, in milliseconds, that something kept the event loop from running its timers. */
async function longestBlock(run: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let [at, cpu] = [performance.now(), process.cpuUsage()];
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(cpu);
    // At most the processor time used: the rest of a pause is due to other processes on the machine.
    longest = Math.max(longest, Math.min(performance.now() - at, (user + system) / 1_000));
    [at, cpu] = [performance.now(), process.cpuUsage()];
  }, SAMPLE_MS);
  await run();
  clearInterval(timer);
  return longest;
}

// Opens all its connections at once, several times, and prints how long that blocked the event loop at best.
const pool = await childPool({ maxOpenConns: CONNECTIONS });
const blockedMs: number[] = [];
for (let round = 0; round < TRIES; round += 1) {
  const clients: { release(): void }[] = [];
  const connect = async (): Promise<void> => void clients.push(await pool.connect());
  const block = await longestBlock(() => Promise.all(Array.from({ length: CONNECTIONS }, connect)));
  blockedMs.push(block);
  for (const client of clients) client.release();
  pool.reset();
}
say(`${CONNECTIONS} at once blocked for ${Math.round(Math.min(...blockedMs))} ms`);
await pool.end();
