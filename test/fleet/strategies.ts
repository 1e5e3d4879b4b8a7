import { pgauge, pgPool, type MakePool } from './pools.js';

/** The strategies to compare: a name, and the pools of a fleet. */
export const STRATEGIES: readonly { readonly name: string; readonly make: MakePool }[] = [
  { name: '`pg.Pool`, callers ask again', make: pgPool },
  { name: '`maxConnecting: 1`, callers ask again', make: pgauge({ connectRetryMs: 0, maxConnecting: 1 }) },
  { name: '`connectRetryMs`', make: pgauge({ connectRetryMs: 60_000 }) },
  {
    name: '`connectRetryMs`, `maxConnecting: 1`',
    make: pgauge({ connectRetryMs: 60_000, maxConnecting: 1 }),
  },
  {
    name: 'these, and `connectTimeoutMs: 15_000`',
    make: pgauge({ connectRetryMs: 60_000, maxConnecting: 1, connectTimeoutMs: 15_000 }),
  },
];
