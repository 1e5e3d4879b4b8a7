import knex from 'knex';
import { newPool } from 'pgauge';
import { config } from '../config.js';

const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
const db = knex({ client: 'pg', connectionPool: pool });

const transfer = (sender: string, recipient: string, amount: number) =>
  db.transaction(async (trx) => {
    await trx('account').where({ owner: recipient }).increment('balance', amount);
    await trx('account').where({ owner: sender }).decrement('balance', amount);
    await trx('transfer').insert({ sender, recipient, amount });
  });

await Promise.all(Array.from({ length: 100 }, () => transfer('ada', 'bob', 1)));
// Ada has nothing left: PostgreSQL rejects the transfer, and Knex rolls back.
const refused = await transfer('ada', 'bob', 1).then(
  () => undefined,
  (error: unknown) => (error as { code?: string }).code,
);
const balances = await db('account').orderBy('owner');
console.log(JSON.stringify({ balances, refused, stat: pool.stat() }));

await db.destroy();
// Knex does not end a pool that was passed to it.
await pool.end();
