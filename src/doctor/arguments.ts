import { additional } from '../auth/doctor.js';
import { COMMON, flag, parse, text, UsageError, wholeNumber } from '../cli/options.js';
import { DEFAULT_MAX_OPEN_CONNS } from '../settings/config.js';
import type { Flag, GivenFlags } from './addition.js';

/** The command line; an option that was not given is undefined. */
export interface Arguments {
  /** One host, or several with commas between them. */
  readonly host: string | undefined;
  /** One port for all hosts, or one for each. */
  readonly port: string | undefined;
  readonly targetSessionAttrs?: string | undefined;
  readonly user: string | undefined;
  readonly database: string | undefined;
  readonly sslMode: string | undefined;
  readonly ca: string | undefined;
  /** The database's own name, perhaps with its port, if another one is dialled. */
  readonly signHost?: string | undefined;
  /** The options of the auth backends. */
  readonly flags?: GivenFlags;
  /** The pool's maximum number of connections. */
  readonly max: number;
  /** How long the whole run may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly json: boolean;
}

const BACKEND_FLAGS: readonly Flag[] = additional('flags').flat();
const DEFAULT_TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 600;
const MAX_CONNECTIONS = 262_143;

/** What `--help` prints. */
export const USAGE = `usage: pgauge doctor [options]

Checks step by step whether a pool could work, and says what is wrong and what
to do about it. Nothing is changed on the server.

  --host <name[,...]> host to dial, or several, each of which is checked
                      [PGHOST]
  --port <n[,...]>    port, default 5432; one for all hosts or one for each
                      [PGPORT]
  --target-session-attrs <kind>
                      the kind of server that is wanted among the hosts: any,
                      read-write, read-only, primary, standby, prefer-standby;
                      default any [PGTARGETSESSIONATTRS]
  --sign-host <name[:port]>
                      the database's own name, where --host is a tunnel or an
                      alias: tokens are signed and the certificate is verified
                      for it
  --user <name>       role to log in as [PGUSER]
  --database <name>   database to open [PGDATABASE]
  --ssl-mode <mode>   disable, require, verify-ca or verify-full;
                      default require [PGSSLMODE]
  --ca <file>         root certificates, PEM [PGSSLROOTCERT]
${BACKEND_FLAGS.map(({ usage }) => usage).join('')}  --max <n>           the pool's maximum, default ${DEFAULT_MAX_OPEN_CONNS}
  --timeout <seconds> for the whole run, default ${DEFAULT_TIMEOUT_S}
  --json              print the report as JSON
  --help, --version

A flag wins over the variable in brackets. A password is never a flag: it comes
from PGPASSWORD or the password file (PGPASSFILE, ~/.pgpass).

Exit code: 0 it works, perhaps with warnings; 1 something failed or was left
unchecked; 2 wrong usage.
`;

/** Reads the command line after the command; throws UsageError. */
export function readArguments(given: readonly string[]): Arguments | 'help' | 'version' {
  const { values, positionals } = parse(given, {
    ...{ host: text, port: text, user: text, database: text, ca: text },
    ...{ 'target-session-attrs': text, 'ssl-mode': text, 'sign-host': text, max: text, timeout: text },
    ...(Object.fromEntries(BACKEND_FLAGS.map(({ name, type }) => [name, { type }])) as object),
    ...{ json: flag, ...COMMON },
  });
  const backendValues: GivenFlags = values;
  if (values.help) return 'help';
  if (values.version) return 'version';
  if (positionals.length > 0) throw new UsageError('doctor takes options only');
  return {
    host: values.host,
    port: ports(values.port),
    targetSessionAttrs: values['target-session-attrs'],
    user: values.user,
    database: values.database,
    sslMode: values['ssl-mode'],
    ca: values.ca,
    signHost: values['sign-host'],
    flags: Object.fromEntries(BACKEND_FLAGS.map(({ name }) => [name, backendValues[name]])),
    max: wholeNumber('max', values.max, 1, MAX_CONNECTIONS) ?? DEFAULT_MAX_OPEN_CONNS,
    timeoutMs: (wholeNumber('timeout', values.timeout, 1, MAX_TIMEOUT_S) ?? DEFAULT_TIMEOUT_S) * 1_000,
    json: values.json ?? false,
  };
}

function ports(given: string | undefined): string | undefined {
  for (const port of given?.split(',') ?? []) wholeNumber('port', port, 1, 65_535);
  return given;
}
