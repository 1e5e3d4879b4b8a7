import { newPool, type Config, type InstrumentedPool, type PoolOptions } from '../../../src/index.js';

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** A pool on the server that the parent process sets in the environment. */
export function childPool(config?: Partial<Config>, options?: PoolOptions): Promise<InstrumentedPool> {
  const server = JSON.parse(process.env['PG'] ?? '') as Config;
  return newPool({ sslMode: 'disable', ...server, ...config }, { logger: quiet, ...options });
}

/** Sends a line to the parent process. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
