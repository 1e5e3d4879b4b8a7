import { homedir } from 'node:os';

/**
 * The environment variables that the library itself reads, each when its value is needed. Those of a cloud's SDK belong
 * to `auth`, those of the command line to `doctor`; node-postgres reads its own (PGOPTIONS, for example).
 */
export interface Environment {
  /**
   * PEM file of root certificates, or `system` for Node's own roots, only with `verify-full`. The option `ssl.ca` wins.
   */
  readonly PGSSLROOTCERT?: string | undefined;
  /** PEM file of the client certificate, with PGSSLKEY. The option `ssl.cert` wins. */
  readonly PGSSLCERT?: string | undefined;
  /** PEM file of the client certificate's private key. The option `ssl.key` wins. */
  readonly PGSSLKEY?: string | undefined;
  /** Password file; default `.pgpass` in the home folder, on Windows `postgresql\pgpass.conf` in APPDATA. */
  readonly PGPASSFILE?: string | undefined;
  /** Home folder, except on Windows; default the user's home folder according to the system. */
  readonly HOME?: string | undefined;
  /** Folder of application data on Windows. */
  readonly APPDATA?: string | undefined;
  /** Level of the default logger, by pino's names; default `info`, also for an unknown level. */
  readonly PGAUGE_LOG_LEVEL?: string | undefined;
  /** The application's name, which node-postgres sends to the server; read here for `queryTelemetry.comment`. */
  readonly PGAPPNAME?: string | undefined;
  /** Makes node-postgres load its native binding, which is not supported: unset while the library loads `pg`. */
  readonly NODE_PG_FORCE_NATIVE?: string | undefined;
}

/** The home folder: HOME, else the user's according to the system; undefined without either, as in some containers. */
export function homeFolder(env?: Environment): string | undefined {
  const given = readVariable('HOME', env);
  if (given !== undefined) return given;
  try {
    return homedir() || undefined;
  } catch {
    // A user id without an entry in the password database has no home.
    return undefined;
  }
}

/** The current value of a variable; undefined when it is unset or empty. */
export function readVariable(name: keyof Environment, env: Environment = process.env): string | undefined {
  return env[name] || undefined;
}

/** Runs `work` with a variable unset, and restores the variable afterwards. */
export function withoutVariable<T>(name: keyof Environment, work: () => T): T {
  const value = process.env[name];
  Reflect.deleteProperty(process.env, name);
  try {
    return work();
  } finally {
    if (value !== undefined) process.env[name] = value;
  }
}
