import { checkFlag, readFields, refuseUnknown } from './checks.js';
import { ConfigError } from '../errors.js';

/** How queries share connections. */
export interface Pipelining {
  /** How many queries may be in flight on one connection, 1 to 1 000. */
  readonly depth: number;
  /** Whether eligible texts without values also share connections, sent by the extended protocol; default false. */
  readonly texts?: boolean | undefined;
}

/** The values in force. */
export interface PipeliningSettings {
  readonly depth: number;
  readonly texts: boolean;
}

/** More queries in flight would not be answered sooner, and all of them are lost with their connection. */
const MAX_DEPTH = 1_000;

/** Undefined when queries do not share connections. */
export function pipelining(value: unknown, name: string): PipeliningSettings | undefined {
  if (value === undefined) return undefined;
  const fields = readFields(value, name);
  refuseUnknown(fields, ['depth', 'texts'], name);
  const { depth, texts } = fields;
  if (!Number.isInteger(depth) || (depth as number) < 1 || (depth as number) > MAX_DEPTH) {
    throw new ConfigError(`${name}.depth must be a whole number from 1 to ${MAX_DEPTH}`);
  }
  checkFlag(texts, `${name}.texts`);
  return Object.freeze({ depth: depth as number, texts: texts ?? false });
}

/** The settings that exclude pipelining. */
interface Others {
  readonly pipelining: PipeliningSettings | undefined;
  readonly queryTimeoutMs: number;
  readonly onAcquire: unknown;
  readonly resetSession: unknown;
}

/** Refuses settings that cannot apply to queries that share a connection. */
export function refuseWithPipelining(settings: Others): void {
  if (settings.pipelining === undefined) return;
  if (settings.queryTimeoutMs > 0) {
    throw new ConfigError(
      'pipelining and queryTimeoutMs are mutually exclusive: a cancel request could stop another query of the same ' +
        'connection. Set statement_timeout in the option pg',
    );
  }
  for (const hook of ['onAcquire', 'resetSession'] as const) {
    if (settings[hook] === undefined) continue;
    throw new ConfigError(
      `pipelining and ${hook} are mutually exclusive: queries that share a connection share its session`,
    );
  }
}
