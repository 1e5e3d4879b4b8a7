import type { EventEmitter } from 'node:events';
import type * as pgModule from 'pg';
import type { PoolConfig } from 'pg';
import { pg } from '../connection/driver.js';

type Overridden =
  | 'totalCount'
  | 'idleCount'
  | 'waitingCount'
  | 'expiredCount'
  | 'connect'
  | 'query'
  | 'end'
  | 'ending'
  | 'ended';

/** `pg.Pool` without the members that this pool overrides: accessors cannot override the properties of @types/pg. */
export const Base = pg.Pool as unknown as new (
  options: PoolConfig,
) => Omit<pgModule.Pool, Overridden | keyof EventEmitter> & EventEmitter;
