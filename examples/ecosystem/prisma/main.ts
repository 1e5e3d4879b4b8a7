import { PrismaPg } from '@prisma/adapter-pg';
import { newPool } from 'pgauge';
import { config } from '../config.js';
import { PrismaClient } from './generated/client.js';

const pool = await newPool(
  { ...config, maxOpenConns: 5 },
  { queryTelemetry: true, pg: { application_name: 'prisma-example' } },
);
const prisma = new PrismaClient({
  adapter: new PrismaPg(pool),
  // Prisma's own limits are shorter by default: 2 s to get a connection, and 5 s for the transaction.
  transactionOptions: { maxWait: 30_000, timeout: 30_000 },
});

const transfer = (sender: string, recipient: string, amount: number) =>
  prisma.$transaction(async (tx) => {
    const change = (owner: string, by: number) =>
      tx.account.update({ where: { owner }, data: { balance: { increment: by } } });
    await change(recipient, amount);
    await change(sender, -amount);
    await tx.transfer.create({ data: { sender, recipient, amount } });
  });

await Promise.all(Array.from({ length: 100 }, () => transfer('ada', 'bob', 1)));
// Ada has nothing left: PostgreSQL rejects the transfer, and Prisma rolls back. P2039 is any server error for which
// Prisma has no code; `meta` contains the server's own code.
const refused = await transfer('ada', 'bob', 1).then(
  () => undefined,
  (error: unknown) => (error as { code?: string }).code,
);
const balances = await prisma.account.findMany({ orderBy: { owner: 'asc' } });
const sessions = await prisma.$queryRaw`
  select application_name, count(*)::int as n from pg_stat_activity where usename = current_user group by 1`;
console.log(JSON.stringify({ balances, refused, sessions, stat: pool.stat() }));

await prisma.$disconnect();
// The adapter does not end a pool that it was given.
await pool.end();
