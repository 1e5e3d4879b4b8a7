// Logs in with the config given as its argument, and prints the server's facts about the connection.
import { newPool, type Config } from '../../../src/index.js';
import { loginFacts } from '../login-facts.js';

const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const pool = await newPool(JSON.parse(process.argv[2] ?? '') as Config, { logger });
console.log(JSON.stringify({ ...(await loginFacts(pool)), forced: process.env['NODE_PG_FORCE_NATIVE'] }));
await pool.end();
