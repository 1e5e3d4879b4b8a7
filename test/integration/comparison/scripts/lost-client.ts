// Loses a client to the server; the test checks whether the process survives.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eitherPool, type Kind, type Login } from '../either-pool.js';

const [kind, held] = process.argv.slice(2) as [Kind, 'held' | 'idle'];
const login = JSON.parse(process.env['PG'] ?? '{}') as Login;
const [pool, killer] = [await eitherPool(kind, login), await eitherPool('pgauge', login)];
const client = await pool.connect();
const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
if (held === 'held') pool.on('error', () => undefined);
else client.release();
const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
const lost = once(stream, 'close');
// An idle connection does not keep the process alive, so a timer does.
const alive = setInterval(() => undefined, 1_000);
await killer.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
await lost;
await sleep(100);
clearInterval(alive);
if (held === 'held') client.release();
console.log((await pool.query<{ answer: string }>("select 'lives' as answer")).rows[0]?.answer);
await Promise.all([pool.end(), killer.end()]);
