import { newDynamicAuthFunc, poolClass, type InstrumentedPool } from 'pgauge';
import pgPromise from 'pg-promise';
import { config } from '../config.js';

// A class cannot wait for the region to be found, so the hook is created here.
const beforeConnect = await newDynamicAuthFunc(config, config.user);
const Pool = poolClass(
  { ...config, dynamicAuth: undefined, maxOpenConns: 5 },
  { queryTelemetry: true, beforeConnect },
);

const pgp = pgPromise();
// pg-promise creates its own pool, from the class that it finds here.
Object.assign(pgp, { pg: { ...pgp.pg, Pool } });
const db = pgp({});
const pool = db.$pool as unknown as InstrumentedPool;

const transfer = (sender: string, recipient: string, amount: number) =>
  db.tx(async (tx) => {
    await tx.none('update account set balance = balance + $1 where owner = $2', [amount, recipient]);
    await tx.none('update account set balance = balance - $1 where owner = $2', [amount, sender]);
    await tx.none('insert into transfer (sender, recipient, amount) values ($1, $2, $3)', [
      sender,
      recipient,
      amount,
    ]);
  });

await Promise.all(Array.from({ length: 100 }, () => transfer('ada', 'bob', 1)));
// Ada has nothing left: PostgreSQL rejects the transfer, and pg-promise rolls back.
const refused = await transfer('ada', 'bob', 1).then(
  () => undefined,
  (error: unknown) => (error as { code?: string }).code,
);
const balances = await db.any('select * from account order by owner');
console.log(JSON.stringify({ balances, refused, stat: pool.stat() }));
await db.$pool.end();
