import type { Logger } from '../../src/index.js';

/** A logger of one-line records for people: warnings always, the pool's stats when `stats` is true. */
export function demoLogger(write: (line: string) => void, { stats }: { stats: boolean }): Logger {
  const record = (level: string) => (fields: object, message: string) =>
    write(
      `${level} ${message}: ${Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${text(value)}`)
        .join(' ')}`,
    );
  const debug = record('debug');
  return {
    debug: (fields, message) => {
      // The other debug records tell of each single connection.
      if (stats && message === 'postgres pool stats') debug(fields, message);
    },
    info: () => undefined,
    warn: record('warn'),
  };
}

function text(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 10) / 10);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
