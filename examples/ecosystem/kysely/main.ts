import { CompiledQuery, Kysely, PostgresDialect, type Generated } from 'kysely';
import { newPool } from 'pgauge';
import { config } from '../config.js';

interface Database {
  account: { owner: string; balance: number };
  transfer: { id: Generated<number>; sender: string; recipient: string; amount: number };
}

let prepared = 0;
const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
const db = new Kysely<Database>({
  dialect: new PostgresDialect({
    pool,
    // Runs once per connection: Kysely recognises a connection by its client, the same object at every checkout.
    onCreateConnection: async (connection) => {
      await connection.executeQuery(CompiledQuery.raw("set lock_timeout = '30s'"));
      prepared++;
    },
  }),
});

const transfer = (sender: string, recipient: string, amount: number) =>
  db.transaction().execute(async (trx) => {
    const change = (owner: string, by: number) =>
      trx
        .updateTable('account')
        .set((account) => ({ balance: account('balance', '+', by) }))
        .where('owner', '=', owner)
        .execute();
    await change(recipient, amount);
    await change(sender, -amount);
    await trx.insertInto('transfer').values({ sender, recipient, amount }).execute();
  });

await Promise.all(Array.from({ length: 100 }, () => transfer('ada', 'bob', 1)));
// Ada has nothing left: PostgreSQL rejects the transfer, and Kysely rolls back.
const refused = await transfer('ada', 'bob', 1).then(
  () => undefined,
  (error: unknown) => (error as { code?: string }).code,
);
const balances = await db.selectFrom('account').selectAll().orderBy('owner').execute();
const stat = pool.stat();

// Ends the pool as well.
await db.destroy();
console.log(JSON.stringify({ balances, refused, prepared, stat, ended: pool.ended }));
