import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Account } from './account.js';
import { writePrivate } from './run-folder.js';

/** Options of {@link startPostgres}. */
export interface PostgresOptions {
  /** TCP port on 127.0.0.1; default a free one, which is kept across restarts. */
  readonly port?: number;
  /** Certificate and key (PEM) for TLS on the TCP port, and roots for client certificates; default no TLS. */
  readonly ssl?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Refuses unencrypted TCP connections, as `hostssl` lines do; default false; needs `ssl`. */
  readonly requireSsl?: boolean;
  /** Server settings that extend or override the defaults, as with `-c`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The address that the TCP port is bound to. */
export const LOOPBACK = '127.0.0.1';

const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  // Loses no data if the process is killed, only if the machine loses power.
  fsync: 'off',
  max_connections: '200',
  shared_buffers: '16MB',
  // Uses files in the data folder, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  log_line_prefix: '%m [%p] ',
  timezone: 'UTC',
};

/** The arguments of `initdb`: the same on every system, regardless of its locales. */
export function initdbArguments(data: string, user: string, passwordFile: string): string[] {
  return [
    ...['-D', data, '-U', user, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
    ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
    ...['--no-sync', '--no-instructions'],
  ];
}

/** Writes pg_hba.conf and the certificates. */
export async function writeConfiguration(
  folder: string,
  { ssl, requireSsl }: PostgresOptions,
  account: Account | undefined,
): Promise<void> {
  const hba = join(folder, 'data', 'pg_hba.conf');
  await rm(hba);
  // Only the server's account can enter the socket's folder, so local connections need no password.
  const rules = `local all all trust\n${requireSsl ? 'hostssl' : 'host'} all all ${LOOPBACK}/32 scram-sha-256\n`;
  await writePrivate(hba, rules, account);
  for (const [name, pem] of Object.entries({ cert: ssl?.cert, key: ssl?.key, ca: ssl?.ca })) {
    if (pem) await writePrivate(join(folder, `${name}.pem`), pem, account);
  }
}

/** The settings as command-line arguments of the server: the defaults, TLS, then the caller's. */
export function settingArguments(folder: string, { ssl, settings }: PostgresOptions): string[] {
  const all = {
    ...DEFAULT_SETTINGS,
    ...(ssl && {
      ssl: 'on',
      ssl_cert_file: join(folder, 'cert.pem'),
      ssl_key_file: join(folder, 'key.pem'),
      ...(ssl.ca && { ssl_ca_file: join(folder, 'ca.pem') }),
    }),
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, LOOPBACK, resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free TCP port');
  return address.port;
}
