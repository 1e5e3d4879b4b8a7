import { parseArgs } from 'node:util';
import { AUTH_NAMES_HELP, DEFAULT_AUTH, readAuth } from './auth-option.js';
import type { SourceName } from './sources/names.js';
import { understood, UsageError } from './usage-error.js';

/** The parsed command line. */
export interface Arguments {
  /** The maximum duration of the whole run in seconds; default 40. */
  readonly seconds: number;
  /** Port of the live page and `/metrics` on 127.0.0.1; 0 for any free one, undefined for 9464 or the next free one. */
  readonly metricsPort: number | undefined;
  /** Whether the pool's debug stats records are printed; default false. */
  readonly statsLog: boolean;
  /** The backend that the pool logs in with; default `awsRdsIam`. */
  readonly auth: SourceName;
  readonly help: boolean;
}

const MIN_SECONDS = 10;
const MAX_SECONDS = 86_400;
const MAX_PORT = 65_535;

/** The output of `--help`. */
export const USAGE = `usage: npm run demo -- [options]
  --seconds <n>       how long the whole run may take, at least ${MIN_SECONDS}; default 40
  --metrics-port <n>  port of the live page http://127.0.0.1:<n>/ and of /metrics, 0 for any free one;
                      default 9464, or the next one that is free
  --stats-log         print the pool's debug records "postgres pool stats" on stderr
  --auth <name>       the backend of dynamicAuth that the pool logs in with; default ${DEFAULT_AUTH}
  --help

${AUTH_NAMES_HELP}

With OTEL_EXPORTER_OTLP_ENDPOINT set, metrics and traces are exported over OTLP (HTTP) as well.
Exit code: 0 the pool recovered from every phase, 1 it did not or the demo could not start,
2 wrong usage, 130 (129, 143) ended by SIGINT (SIGHUP, SIGTERM).
`;

/** Parses the command line; throws `UsageError`. */
export function readArguments(given: readonly string[]): Arguments {
  const { values } = parse(given);
  const port = values['metrics-port'];
  return {
    seconds: wholeNumber('seconds', values.seconds ?? '40', MIN_SECONDS, MAX_SECONDS),
    metricsPort: port === undefined ? undefined : wholeNumber('metrics-port', port, 0, MAX_PORT),
    statsLog: values['stats-log'] ?? false,
    auth: readAuth(values.auth),
    help: values.help ?? false,
  };
}

function parse(given: readonly string[]) {
  return understood(() =>
    parseArgs({
      args: [...given],
      options: {
        seconds: { type: 'string' },
        'metrics-port': { type: 'string' },
        'stats-log': { type: 'boolean' },
        auth: { type: 'string' },
        help: { type: 'boolean' },
      },
    }),
  );
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}`);
}
