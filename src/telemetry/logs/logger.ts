import { createRequire } from 'node:module';
import type { Logger } from '../../hooks.js';
import { readVariable } from '../../settings/environment.js';

/** The environment variable that sets the default logger's level; unset or unknown: `info`. */
export const LOG_LEVEL_VARIABLE = 'PGAUGE_LOG_LEVEL';

interface Pino {
  (options: { name: string; level: string }, destination: object): Logger;
  destination(options: { dest: number; sync: boolean }): { on(event: 'error', listener: () => void): void };
  readonly levels: { readonly values: Readonly<Record<string, number>> };
}

/** The logger of a pool that was given none: pino to stderr, since stdout may be data. */
export function defaultLogger(): Logger {
  // Loaded here and not above: a pool with a logger of its own must not pay for pino.
  const pino = createRequire(import.meta.url)('pino') as Pino;
  const wanted = readVariable(LOG_LEVEL_VARIABLE)?.trim().toLowerCase() ?? '';
  const known = wanted === 'silent' || Object.hasOwn(pino.levels.values, wanted);
  const stderr = pino.destination({ dest: 2, sync: true });
  // A closed stderr would otherwise end the process.
  stderr.on('error', () => undefined);
  return pino({ name: 'pgauge', level: known ? wanted : 'info' }, stderr);
}

/** A logger that calls `logger` and swallows what it throws or rejects with. */
export function guardLogger(logger: Logger): Logger {
  const call = (level: keyof Logger, fields: object, message: string): void => {
    try {
      // Typed as nothing, but an async one returns a promise, whose rejection would end the process.
      const log: (fields: object, message: string) => unknown = logger[level].bind(logger);
      const result = log(fields, message);
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // A logger that fails must not fail the pool, and cannot be told.
    }
  };
  return {
    debug: (fields, message) => call('debug', fields, message),
    info: (fields, message) => call('info', fields, message),
    warn: (fields, message) => call('warn', fields, message),
  };
}
