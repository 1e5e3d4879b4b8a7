import type { InstrumentedPool } from 'pgauge';
import { QueryFailedError } from 'typeorm';
import { db } from './database.js';
import { Account, Transfer } from './entities.js';

await db.initialize();

const transfer = (sender: string, recipient: string, amount: number) =>
  db.transaction(async (manager) => {
    await manager.increment(Account, { owner: recipient }, 'balance', amount);
    await manager.decrement(Account, { owner: sender }, 'balance', amount);
    await manager.insert(Transfer, { sender, recipient, amount });
  });

await Promise.all(Array.from({ length: 100 }, () => transfer('ada', 'bob', 1)));
// Ada has nothing left: PostgreSQL rejects the transfer, and TypeORM rolls back.
const refused = await transfer('ada', 'bob', 1).then(
  () => undefined,
  (error: unknown) => error instanceof QueryFailedError && (error.driverError as { code?: string }).code,
);
const balances = await db.getRepository(Account).find({ order: { owner: 'asc' } });
const { master } = db.driver as unknown as { master: InstrumentedPool };
console.log(JSON.stringify({ balances, refused, stat: master.stat() }));

await db.destroy();
