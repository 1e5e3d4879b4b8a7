import type { Logger } from '../../src/index.js';

/** A logger with one readable line per record: warnings go to `write`, the pool's stats to `stats`, if given. */
export function demoLogger(write: (line: string) => void, stats?: (line: string) => void): Logger {
  const record = (level: string, to: typeof write) => (fields: object, message: string) =>
    to(
      `${level} ${message}: ${Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${text(value)}`)
        .join(' ')}`,
    );
  const debug = stats && record('debug', stats);
  return {
    debug: (fields, message) => {
      // The other debug records are about single connections.
      if (message === 'postgres pool stats') debug?.(fields, message);
    },
    info: () => undefined,
    warn: record('warn', write),
  };
}

function text(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
