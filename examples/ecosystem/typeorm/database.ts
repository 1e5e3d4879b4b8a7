import { newDynamicAuthFunc, poolClass } from 'pgauge';
import { DataSource } from 'typeorm';
import { config } from '../config.js';
import { Account, Transfer } from './entities.js';

// A class cannot wait for the region to be found, so the hook is created here.
const beforeConnect = await newDynamicAuthFunc(config, config.user);
const Pool = poolClass(
  { ...config, dynamicAuth: undefined, maxOpenConns: 5 },
  { queryTelemetry: true, beforeConnect },
);

/** TypeORM creates its own pool, from the class that its driver has. */
export const db = new DataSource({ type: 'postgres', driver: { Pool }, entities: [Account, Transfer] });
