// Logs its statistics with the default logger, and ends nothing.
import { newPool, type Config } from '../../../src/index.js';

const pool = await newPool(JSON.parse(process.argv[2] ?? '') as Config, { statsLog: { intervalMs: 20 } });
await pool.query('select pg_sleep(0.3)');
console.log('done');
