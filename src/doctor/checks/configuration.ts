import { readFile } from 'node:fs/promises';
import { DOCTOR_BACKENDS, loginBackend } from '../../auth/doctor.js';
import { checkDynamicAuthPackages } from '../../auth/index.js';
import { logValue } from '../../settings/redacted-view.js';
import { firstPlace } from '../../settings/hosts.js';
import { effectiveSslMode, type Config } from '../../settings/config.js';
import { checkHost, checkPort, copyConfig, refuseTokenInClear } from '../../settings/config-checks.js';
import { AuthError, ConfigError } from '../../errors.js';
import type { SslMode } from '../../settings/ssl-mode.js';
import { poolSettings } from '../../settings/pool-settings.js';
import { planTls } from '../../connection/tls.js';
import { failed, ok, type Outcome } from '../report.js';
import type { Session, Settings } from '../session.js';
import { SOURCES } from '../settings.js';

/** Runs the checks that `newPool` runs before it makes a pool. */
export async function checkConfiguration(session: Session): Promise<Outcome> {
  const { settings, env, text } = session;
  try {
    const config = copyConfig(settings.config);
    checkSignAt(settings);
    const checked = poolSettings(await sslOptions(settings, effectiveSslMode(config)), config);
    refuseTokenInClear(config);
    await checkDynamicAuthPackages(config);
    session.set('tls', await planTls(effectiveSslMode(config), checked.ssl, env));
    session.set('rootsSource', rootsSource(settings, env));
    session.set('config', { ...config, ...firstPlace(config) });
    session.set('poolSettings', checked);
    return ok(summary(config), {
      facts: { ...logValue(config), max_open_conns: config.maxOpenConns, origins: settings.origins },
    });
  } catch (error) {
    const said = text.ofError(error).replace('ssl.ca', `--ca (${settings.caFile ?? ''})`);
    if (error instanceof AuthError) {
      const [, command] = /(npm install .+)$/.exec(error.message) ?? [];
      return failed('packages_missing', said, `run ${command ?? 'npm install'} where the application runs`);
    }
    if (error instanceof ConfigError) return failed('config_invalid', said, remedy(said, settings));
    throw error;
  }
}

function checkSignAt({ signAt }: Settings): void {
  if (signAt === undefined) return;
  checkHost(signAt.host, '--sign-host');
  if (signAt.port !== undefined) checkPort(signAt.port, 'the port of --sign-host');
}

async function sslOptions({ caFile, signAt }: Settings, mode: SslMode): Promise<object> {
  const ca = caFile === undefined ? undefined : await readRoots(caFile);
  const servername = mode === 'disable' ? undefined : signAt?.host;
  if (ca === undefined && servername === undefined) return {};
  return { ssl: { ...(ca !== undefined && { ca }), ...(servername !== undefined && { servername }) } };
}

async function readRoots(caFile: string): Promise<string> {
  try {
    return await readFile(caFile, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new ConfigError(`--ca (${caFile}): cannot be read: ${reason}`, { cause: error });
  }
}

function rootsSource({ caFile }: Settings, { PGSSLROOTCERT: path }: NodeJS.ProcessEnv): string {
  if (caFile !== undefined) return caFile;
  return path && path !== 'system' ? path : "Node's own roots";
}

function summary(config: Config): string {
  const { host, port, user, database } = config;
  const login = loginBackend(config)?.label ?? 'password';
  return `${user}@${host}:${port}/${database}, ${effectiveSslMode(config)}, ${login}`;
}

const REQUIRED = ['host', 'user', 'database'] as const;

function remedy(said: string, { config, origins }: Settings): string {
  const field = /^\w+/.exec(said)?.[0] as keyof Config | undefined;
  const origin = field && origins[field];
  const backend = DOCTOR_BACKENDS.find(({ name }) => name === /^dynamicAuth\.(\w+)/.exec(said)?.[1]);
  if (backend) return backend.addition.refusedSettings ?? `leave ${origin ?? 'dynamicAuth'} out`;
  if (field === 'dynamicAuth') return `give --ssl-mode verify-full, or leave ${origin ?? 'dynamicAuth'} out`;
  const sources: Readonly<Partial<Record<string, string>>> = SOURCES;
  const source = field && sources[field];
  if (field === undefined || source === undefined) return 'correct what it names, and run this again';
  const given = config[field];
  if (!given) {
    // The library names only the first missing setting; the remedy names all.
    const missing = REQUIRED.filter((name) => !config[name]);
    return `give ${missing.map((name) => SOURCES[name]).join(', ')}`;
  }
  if (typeof given === 'string' && given.includes('://')) {
    return `${origin ?? source} holds a whole connection string: give its parts with --host, --port, --user and --database, and the password in PGPASSWORD`;
  }
  return `it was given by ${origin ?? 'default'}: correct that (${source})`;
}
