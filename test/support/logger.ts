import type { Logger } from '../../src/index.js';

/** One record as a pool logged it. */
export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps every record. */
export class RecordingLogger implements Logger {
  readonly records: LogRecord[] = [];

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message);
  }

  /** The records with this message, oldest first. */
  named(message: string): LogRecord[] {
    return this.records.filter((record) => record.message === message);
  }

  /** The reasons why connections were closed, oldest first, from the debug records. */
  get closeReasons(): unknown[] {
    return this.named('postgres connection closed').map(({ fields }) => fields['reason']);
  }

  #keep(level: LogRecord['level'], fields: object, message: string): void {
    this.records.push({ level, fields: { ...fields }, message });
  }
}
