import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import * as tls from 'node:tls';
import { DEFAULT_TLS_MIN_VERSION, type SslMaterial, type SslMode } from '../settings/ssl-mode.js';
import { ConfigError } from '../errors.js';

/** How a pool's connections are encrypted: one plan per pool, one target per attempt. */
export interface TlsPlan {
  /** The mode that was planned for. */
  readonly mode: SslMode;
  /** Fresh options for one attempt, which a hook may change; they share one SecureContext, so that certificates are parsed once. */
  target(): false | tls.ConnectionOptions;
  /**
   * Makes an attempt's options final once the host to be dialled is known: the name that is verified is
   * `servername`, else that host. What a hook put in place of the options is used as it is; certificates, keys or
   * versions it added get a SecureContext of their own. Throws ConfigError for options that cannot be used.
   */
  finish(ssl: false | tls.ConnectionOptions, host: string): false | tls.ConnectionOptions;
}

/** Plans TLS for a mode, reading the files that PGSSLROOTCERT, PGSSLCERT and PGSSLKEY name; rejects with ConfigError, naming the path, when one cannot be used. */
export async function planTls(
  mode: SslMode,
  ssl: SslMaterial | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<TlsPlan> {
  if (mode === 'disable')
    return { mode, target: () => false, finish: (options, host) => finish(options, host) };
  const roots = await rootCertificates(mode, ssl, env);
  const identity = await clientCertificate(ssl, env);
  const { DEFAULT_MIN_VERSION } = tls;
  const material: tls.SecureContextOptions = {
    ...(roots && { ca: roots }),
    ...identity.material,
    // The process may ask for more than the default; it cannot ask for less.
    minVersion:
      ssl?.minVersion ?? (DEFAULT_MIN_VERSION === 'TLSv1.3' ? DEFAULT_MIN_VERSION : DEFAULT_TLS_MIN_VERSION),
  };
  const secureContext = newContext(material, identity.source);
  const servername = ssl?.servername;
  const named = mode === 'verify-full';
  const verified = mode !== 'require' || roots !== undefined;
  return {
    mode,
    target: () => ({
      secureContext,
      // Explicit, or NODE_TLS_REJECT_UNAUTHORIZED would decide.
      rejectUnauthorized: verified,
      ...(!named && { checkServerIdentity: acceptAnyName }),
      ...(servername !== undefined && { servername }),
    }),
    finish(given, host) {
      const options = isOptions(given) ? ownOf(given) : given;
      if (!isOptions(options) || options.secureContext !== secureContext) return finish(options, host);
      const added = contextOptions(options);
      if (Object.keys(added).length === 0) return finish(options, host);
      const rest = { ...options };
      delete rest.secureContext;
      // libpq's rule for `require`: a root certificate asks for verification.
      if (added.ca !== undefined && mode === 'require') rest.rejectUnauthorized = true;
      return finish({ ...rest, ...material, ...added }, host);
    },
  };
}

const acceptAnyName = (): undefined => undefined;

function isOptions(value: unknown): value is tls.ConnectionOptions {
  return typeof value === 'object' && value !== null;
}

/** A copy without a prototype, so that nothing inherited shows through, however Object.prototype was polluted. */
function ownOf<T extends object>(options: T): T {
  return Object.assign<object, T>(Object.create(null) as object, options);
}

function finish(options: unknown, host: string): false | tls.ConnectionOptions {
  if (options === false) return false;
  // Anything else would let the driver consult PGSSLMODE or take a name for a mode.
  if (!isOptions(options)) throw new ConfigError('ssl must be false or an object of TLS options');
  const final = ownOf(options);
  if (final.secureContext === undefined) {
    const own = contextOptions(final);
    if (own.ca !== undefined) checkRoots([own.ca].flat().map(String));
    final.secureContext = newContext(own, 'ssl of the connection target');
  }
  // The context holds them now, where no inspection shows them.
  for (const key of CONTEXT_KEYS) Reflect.deleteProperty(final, key);
  const name = final.servername || host;
  const check = final.checkServerIdentity ?? checkIdentity;
  // Node's own name is `localhost` where it was told of no host.
  final.checkServerIdentity = (_name, certificate) => check(name, certificate);
  // RFC 6066: a server name is never an address.
  if (final.servername !== undefined && isIP(final.servername) !== 0) delete final.servername;
  return final;
}

function checkIdentity(name: string, certificate: tls.PeerCertificate): Error | undefined {
  // Releases of Node 22, 24 and 26 know no IPv6 address in a certificate (nodejs/node#64144); no certificate names a zone.
  if (isIP(name) === 6 && new X509Certificate(certificate.raw).checkIP(name.replace(/%.*/, '')))
    return undefined;
  return tls.checkServerIdentity(name, certificate);
}

// All that makes up a SecureContext, newer versions of Node included.
const CONTEXT_KEYS = [
  ...['ca', 'allowPartialTrustChain', 'cert', 'key', 'passphrase', 'pfx', 'crl'],
  ...['minVersion', 'maxVersion', 'secureProtocol', 'secureOptions'],
  ...['ciphers', 'honorCipherOrder', 'sigalgs', 'ecdhCurve', 'dhparam'],
  ...['clientCertEngine', 'privateKeyEngine', 'privateKeyIdentifier'],
  ...['sessionIdContext', 'sessionTimeout', 'ticketKeys'],
] as (keyof tls.SecureContextOptions)[];

function contextOptions(options: tls.ConnectionOptions): tls.SecureContextOptions {
  return Object.fromEntries(
    CONTEXT_KEYS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );
}

function newContext(options: tls.SecureContextOptions, source: string): tls.SecureContext {
  try {
    return tls.createSecureContext(ownOf(options));
  } catch (error) {
    throw new ConfigError(`${source}: cannot be used for TLS: ${reason(error)}`, { cause: error });
  }
}

async function rootCertificates(
  mode: SslMode,
  ssl: SslMaterial | undefined,
  { PGSSLROOTCERT: path }: NodeJS.ProcessEnv,
): Promise<string[] | undefined> {
  if (ssl?.ca !== undefined) {
    checkRoots(ssl.ca);
    return [...ssl.ca];
  }
  if (!path) return undefined;
  if (path === 'system') {
    // libpq's rule: anybody can have a certificate of a public authority, so without the name it says nothing.
    if (mode !== 'verify-full') {
      throw new ConfigError(
        `PGSSLROOTCERT is system, which sslMode ${mode} is too weak for: use verify-full`,
      );
    }
    return undefined;
  }
  const pem = await readNamed(path, 'PGSSLROOTCERT');
  checkCertificates(pem, `PGSSLROOTCERT (${path})`);
  return [pem];
}

async function clientCertificate(
  ssl: SslMaterial | undefined,
  { PGSSLCERT: certPath, PGSSLKEY: keyPath }: NodeJS.ProcessEnv,
): Promise<{ readonly material: tls.SecureContextOptions; readonly source: string }> {
  const passphrase = ssl?.passphrase === undefined ? {} : { passphrase: ssl.passphrase };
  if (ssl?.cert !== undefined && ssl.key !== undefined) {
    return { material: { cert: ssl.cert, key: ssl.key, ...passphrase }, source: 'ssl.cert and ssl.key' };
  }
  if (!certPath && !keyPath) return { material: {}, source: 'ssl' };
  if (!certPath) throw new ConfigError(`PGSSLKEY (${keyPath}) is set but PGSSLCERT is not: both are needed`);
  if (!keyPath) throw new ConfigError(`PGSSLCERT (${certPath}) is set but PGSSLKEY is not: both are needed`);
  const [cert, key] = await Promise.all([readNamed(certPath, 'PGSSLCERT'), readNamed(keyPath, 'PGSSLKEY')]);
  checkCertificates(cert, `PGSSLCERT (${certPath})`);
  // Node takes an empty text for no key, and would log in without a certificate.
  if (key === '') throw new ConfigError(`PGSSLKEY (${keyPath}): is empty`);
  return {
    material: { cert, key, ...passphrase },
    source: `PGSSLCERT (${certPath}) and PGSSLKEY (${keyPath})`,
  };
}

async function readNamed(path: string, variable: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${variable} (${path}): cannot be read: ${reason(error)}`, { cause: error });
  }
}

function checkRoots(roots: readonly string[]): void {
  // Node would take an empty list for its own roots.
  for (const pem of roots.length === 0 ? [''] : roots) checkCertificates(pem, 'ssl.ca');
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.*?(?:-----END [A-Z0-9 ]+-----|$)/gs;

/** Node takes what it can parse and is silent about the rest, which may be all of it. */
function checkCertificates(pem: string, source: string): void {
  const blocks = pem.match(CERTIFICATE);
  if (blocks === null) throw new ConfigError(`${source}: holds no PEM certificate`);
  blocks.forEach((block, index) => {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new ConfigError(`${source}: certificate ${index + 1} cannot be parsed: ${reason(error)}`, {
        cause: error,
      });
    }
  });
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
