import { newPool, type Config } from '../../../../src/index.js';

// Makes a pool, queries who is logged in and ends it; prints the answer or the error, and the warnings.
const [config = ''] = process.argv.slice(2);
const warnings: object[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (fields: object, message: string) => void warnings.push({ message, ...fields }),
};
const said: Record<string, unknown> = { warnings };
try {
  const pool = await newPool(JSON.parse(config) as Config, process.env['DEFAULT_LOGGER'] ? {} : { logger });
  try {
    const { rows } = await pool.query<{ user: string }>('select current_user as user');
    said['user'] = rows[0]?.user;
  } finally {
    await pool.end();
  }
} catch (error) {
  const { name, message, code } = error as Error & { code?: string };
  said['error'] = { name, message, code };
}
console.log(JSON.stringify(said));
