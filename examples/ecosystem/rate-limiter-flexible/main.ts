import { newPool } from 'pgauge';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { config } from '../config.js';

const pool = await newPool({ ...config, maxOpenConns: 5 }, { queryTelemetry: true });
await pool.query('create schema limits');
// The limiter recognises the pool by its class name, so it needs no `storeType`.
const store = { storeClient: pool, schemaName: 'limits', tableName: 'visits', clearExpiredByTimeout: false };
const limiter = await new Promise<RateLimiterPostgres>((resolve, reject) => {
  const made = new RateLimiterPostgres({ ...store, points: 10, duration: 3_600 }, (error?: Error) => {
    if (error) reject(error);
    else resolve(made);
  });
});

const visit = (owner: string): Promise<string> =>
  limiter.consume(owner).then(
    () => 'allowed',
    (refusal: unknown) => (refusal instanceof RateLimiterRes ? 'refused' : String(refusal)),
  );
const visits = await Promise.all(Array.from({ length: 25 }, () => visit('ada')));
const count = (outcome: string): number => visits.filter((seen) => seen === outcome).length;
const left = (await limiter.get('ada'))?.remainingPoints;
console.log(
  JSON.stringify({ allowed: count('allowed'), refused: count('refused'), left, stat: pool.stat() }),
);
await pool.end();
