import { asc, DrizzleQueryError, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { newPool } from 'pgauge';
import { config } from '../config.js';

const account = pgTable('account', {
  owner: text().primaryKey(),
  balance: integer().notNull(),
});
const transfers = pgTable('transfer', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  sender: text().notNull(),
  recipient: text().notNull(),
  amount: integer().notNull(),
});

const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
const db = drizzle({ client: pool });

const transfer = (sender: string, recipient: string, amount: number) =>
  db.transaction(async (tx) => {
    const change = (owner: string, by: number) =>
      tx
        .update(account)
        .set({ balance: sql`${account.balance} + ${by}` })
        .where(eq(account.owner, owner));
    await change(recipient, amount);
    await change(sender, -amount);
    await tx.insert(transfers).values({ sender, recipient, amount });
  });

await Promise.all(Array.from({ length: 100 }, () => transfer('ada', 'bob', 1)));
// Ada has nothing left: PostgreSQL rejects the transfer, and Drizzle rolls back. The driver's error is the cause.
const refused = await transfer('ada', 'bob', 1).then(
  () => undefined,
  (error: unknown) => error instanceof DrizzleQueryError && (error.cause as { code?: string }).code,
);
const balances = await db.select().from(account).orderBy(asc(account.owner));
console.log(JSON.stringify({ balances, refused, stat: pool.stat() }));

await pool.end();
