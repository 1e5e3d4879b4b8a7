import { setTimeout as sleep } from 'node:timers/promises';
import { childPool, say } from '../../../support/scripts/child-pool.js';

/** How long the outage is measured, in milliseconds. */
const OUTAGE_MS = 4_000;

// Fills its minimum of three against a server that refuses, and prints how much processor time that took.
const before = process.cpuUsage();
const pool = await childPool({ minConns: 3, maxOpenConns: 3 });
await sleep(OUTAGE_MS);
const { user, system } = process.cpuUsage(before);
say(`busy for ${Math.round((user + system) / 1_000)} ms`);
while (pool.idleCount < 3) await sleep(10);
say('restored');
await pool.end();
