import { createRequire } from 'node:module';
import type { Logger } from '../../hooks.js';
import { readVariable } from '../../settings/environment.js';

const require = createRequire(import.meta.url);

/** The environment variable with the level of the default logger; if unset or unknown, the level is `info`. */
export const LOG_LEVEL_VARIABLE = 'PGAUGE_LOG_LEVEL';

interface Pino {
  (options: { name: string; level: string }, destination: object): Logger;
  destination(options: { dest: number; sync: boolean }): { on(event: 'error', listener: () => void): void };
  readonly levels: { readonly values: Readonly<Record<string, number>> };
}

/** Creates the logger of a pool without a `logger` option: pino to stderr, since stdout may carry the program's output. */
export function defaultLogger(): Logger {
  // Loaded here, so that a pool with its own logger does not load pino.
  const pino = require('pino') as Pino;
  const wanted = readVariable(LOG_LEVEL_VARIABLE)?.trim().toLowerCase() ?? '';
  const known = wanted === 'silent' || Object.hasOwn(pino.levels.values, wanted);
  const stderr = pino.destination({ dest: 2, sync: true });
  // Without a listener, an error on a closed stderr ends the process.
  stderr.on('error', () => undefined);
  return pino({ name: 'pgauge', level: known ? wanted : 'info' }, stderr);
}

/** Wraps `logger`: what it throws or rejects with is discarded. */
export function guardLogger(logger: Logger): Logger {
  const call = (level: keyof Logger, fields: object, message: string): void => {
    try {
      // An async method returns a promise despite its type, and an unhandled rejection would end the process.
      const log: (fields: object, message: string) => unknown = logger[level].bind(logger);
      const result = log(fields, message);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // A failing logger must not fail the pool, and there is no other place to report it.
    }
  };
  return {
    debug: (fields, message) => call('debug', fields, message),
    info: (fields, message) => call('info', fields, message),
    warn: (fields, message) => call('warn', fields, message),
  };
}
