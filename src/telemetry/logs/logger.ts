import { createRequire } from 'node:module';
import type { Logger } from '../../hooks.js';
import { readVariable } from '../../settings/environment.js';

const require = createRequire(import.meta.url);

/** The environment variable with the level of the default logger; if unset or unknown, the level is `info`. */
export const LOG_LEVEL_VARIABLE = 'PGAUGE_LOG_LEVEL';

interface Pino {
  (options: { name: string; level: string }, destination: object): Logger;
  destination(options: { dest: number; sync: boolean }): { on(event: 'error', listener: () => void): void };
}

/**
 * Creates the logger of a pool without a `logger` option: pino to stderr, since stdout may carry the program's output.
 * Loading pino takes a large part of a cold start, so it is loaded only for a level at which records are written.
 */
export function defaultLogger(): Logger {
  const level = readVariable(LOG_LEVEL_VARIABLE)?.trim().toLowerCase();
  switch (level) {
    case 'trace':
    case 'debug':
      return pinoLogger(level);
    case 'warn': {
      let opened: Logger | undefined;
      return { ...SILENT, warn: (fields, message) => (opened ??= pinoLogger(level)).warn(fields, message) };
    }
    case 'error':
    case 'fatal':
    case 'silent':
      // Records have at most the level `warn`.
      return SILENT;
    default:
      // Loaded at once, because every pool begins with a record of this level.
      return pinoLogger('info');
  }
}

const nothing = (): void => undefined;
const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing };

function pinoLogger(level: string): Logger {
  const pino = require('pino') as Pino;
  const stderr = pino.destination({ dest: 2, sync: true });
  // Without a listener, an error on a closed stderr ends the process.
  stderr.on('error', () => undefined);
  return pino({ name: 'pgauge', level }, stderr);
}

/** Wraps `logger` and discards its errors and rejections. */
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
