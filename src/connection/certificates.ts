import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '../errors.js';
import { readVariable, type Environment } from '../settings/environment.js';
import type { SslMode } from '../settings/ssl-mode.js';
import type { SslSettings } from '../settings/ssl-options.js';
import { readCertificates, reasonOf } from './pem.js';
import { parsedRoots, sharedContext } from './tls-cache.js';

/** A client certificate with its key, and where it was given, for messages. */
export interface ClientCertificate {
  readonly material: SecureContextOptions;
  readonly source: string;
}

/** Returns the text of a file; throws Node's own error. */
export type ReadFile = (path: string) => string;

/** Reads a file now. */
export const readNow: ReadFile = (path) => readFileSync(path, 'utf8');

/** Reads the files that will be needed, and returns a function that returns their texts without waiting. */
export async function readAhead(ssl: SslSettings | undefined, env?: Environment): Promise<ReadFile> {
  const texts = new Map<string, PromiseSettledResult<string>>();
  const names = [
    ...(ssl?.ca === undefined ? (['PGSSLROOTCERT'] as const) : []),
    ...(ssl?.cert === undefined ? (['PGSSLCERT', 'PGSSLKEY'] as const) : []),
  ];
  for (const name of names) {
    const path = readVariable(name, env);
    if (path === undefined || path === 'system') continue;
    const [text] = await Promise.allSettled([readFile(path, 'utf8')]);
    texts.set(path, text);
  }
  return (path) => {
    const text = texts.get(path);
    if (text?.status === 'fulfilled') return text.value;
    throw text?.reason;
  };
}

/**
 * The root certificates in `ssl.ca`, else in the file that PGSSLROOTCERT names; undefined for Node's own. Throws
 * ConfigError, naming the path, when they cannot be used.
 */
export function rootCertificates(
  mode: SslMode,
  ssl: SslSettings | undefined,
  env?: Environment,
  read: ReadFile = readNow,
): string[] | undefined {
  if (ssl?.ca !== undefined) return givenRoots(ssl.ca);
  const path = readVariable('PGSSLROOTCERT', env);
  if (path === undefined) return undefined;
  if (path === 'system') {
    // libpq's rule: anyone can get a certificate from a public authority, so it proves nothing unless the name is verified.
    if (mode !== 'verify-full') {
      throw new ConfigError(
        `PGSSLROOTCERT is system, which sslMode ${mode} is too weak for: use verify-full`,
      );
    }
    return undefined;
  }
  const text = readText(path, 'PGSSLROOTCERT', read);
  return parsedRoots([text], () => readCertificates(text, `PGSSLROOTCERT (${path})`));
}

/**
 * The client certificate in `ssl.cert` and `ssl.key`, else in the files that PGSSLCERT and PGSSLKEY name; its material is
 * empty when there is none. Throws ConfigError, naming the path, when it cannot be used.
 */
export function clientCertificate(
  ssl: SslSettings | undefined,
  env?: Environment,
  read: ReadFile = readNow,
): ClientCertificate {
  const passphrase = ssl?.passphrase === undefined ? {} : { passphrase: ssl.passphrase };
  if (ssl?.cert !== undefined && ssl.key !== undefined) {
    const cert = readCertificates(ssl.cert, 'ssl.cert').join('');
    return { material: { cert, key: ssl.key, ...passphrase }, source: 'ssl.cert and ssl.key' };
  }
  const certPath = readVariable('PGSSLCERT', env);
  const keyPath = readVariable('PGSSLKEY', env);
  if (!certPath && !keyPath) return { material: {}, source: 'ssl' };
  if (!certPath) throw new ConfigError(`PGSSLKEY (${keyPath}) is set but PGSSLCERT is not: both are needed`);
  if (!keyPath) throw new ConfigError(`PGSSLCERT (${certPath}) is set but PGSSLKEY is not: both are needed`);
  const chain = readText(certPath, 'PGSSLCERT', read);
  const key = readText(keyPath, 'PGSSLKEY', read);
  const cert = readCertificates(chain, `PGSSLCERT (${certPath})`).join('');
  // Node treats an empty key as unset, and would log in without a certificate.
  if (key === '') throw new ConfigError(`PGSSLKEY (${keyPath}): is empty`);
  return {
    material: { cert, key, ...passphrase },
    source: `PGSSLCERT (${certPath}) and PGSSLKEY (${keyPath})`,
  };
}

/** Parses root certificates given as PEM; throws ConfigError unless each text holds at least one. */
export function givenRoots(roots: readonly string[]): string[] {
  const several = roots.length > 1;
  // Node would replace an empty list with its own roots.
  const given = roots.length === 0 ? [''] : roots;
  return parsedRoots(given, () =>
    given.flatMap((pem, index) => readCertificates(pem, 'ssl.ca', several ? index + 1 : undefined)),
  );
}

/**
 * Parses certificates, keys and versions once for many connections and pools; throws ConfigError, naming `source`, when
 * they cannot be used.
 */
export function createContext(options: SecureContextOptions, source: string): SecureContext {
  // Without a prototype, so that a polluted Object.prototype adds no options.
  const own = Object.assign(Object.create(null), options) as SecureContextOptions;
  try {
    return sharedContext(own, () => createSecureContext(own));
  } catch (error) {
    throw new ConfigError(`${source}: cannot be used for TLS: ${reasonOf(error)}`, { cause: error });
  }
}

function readText(path: string, variable: string, read: ReadFile): string {
  try {
    return read(path);
  } catch (error) {
    throw new ConfigError(`${variable} (${path}): cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
