import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import * as tls from 'node:tls';
import {
  clientCertificate,
  createContext,
  givenRoots,
  readAhead,
  readNow,
  rootCertificates,
  type ReadFile,
} from './certificates.js';
import { ConfigError } from '../errors.js';
import { checkFunction, checkText } from '../settings/checks.js';
import type { Environment } from '../settings/environment.js';
import { DEFAULT_TLS_MIN_VERSION, type SslMode } from '../settings/ssl-mode.js';
import type { SslSettings } from '../settings/ssl-options.js';

/** How a pool's connections are encrypted: one plan per pool, one target per attempt. */
export interface TlsPlan {
  /** The planned mode. */
  readonly mode: SslMode;
  /** Whether TLS begins at once, without a request to the server. */
  readonly direct: boolean;
  /** New options for one attempt, which a hook may change; all share one SecureContext, to parse certificates once. */
  target(): false | tls.ConnectionOptions;
  /**
   * Completes the options of an attempt once the host is known: the certificate is verified for `servername`, else for
   * that host. Options with which a hook replaced the target's are used unchanged; certificates, keys or versions
   * that it added get their own SecureContext. Throws ConfigError for options that cannot be used.
   */
  finish(ssl: false | tls.ConnectionOptions, host: string): false | tls.ConnectionOptions;
}

/**
 * Plans TLS for a mode and reads the files that PGSSLROOTCERT, PGSSLCERT and PGSSLKEY name; rejects with ConfigError,
 * naming the path, when one cannot be used.
 */
export async function planTls(
  mode: SslMode,
  ssl: SslSettings | undefined,
  env?: Environment,
): Promise<TlsPlan> {
  return planTlsSync(mode, ssl, env, mode === 'disable' ? readNow : await readAhead(ssl, env));
}

/** Like `planTls`, but synchronous: `read` returns the files, by default by reading them now. */
export function planTlsSync(
  mode: SslMode,
  ssl: SslSettings | undefined,
  env?: Environment,
  read: ReadFile = readNow,
): TlsPlan {
  if (mode === 'disable')
    return { mode, direct: false, target: () => false, finish: (options, host) => finish(options, host) };
  const roots = rootCertificates(mode, ssl, env, read);
  const identity = clientCertificate(ssl, env, read);
  const { DEFAULT_MIN_VERSION } = tls;
  const material: tls.SecureContextOptions = {
    ...(roots && { ca: roots }),
    ...identity.material,
    // Node's command line may raise the lowest version; it cannot lower it.
    minVersion:
      ssl?.minVersion ?? (DEFAULT_MIN_VERSION === 'TLSv1.3' ? DEFAULT_MIN_VERSION : DEFAULT_TLS_MIN_VERSION),
  };
  const secureContext = createContext(material, identity.source);
  const servername = ssl?.servername;
  const direct = ssl?.negotiation === 'direct';
  const named = mode === 'verify-full';
  const verified = mode !== 'require' || roots !== undefined;
  return {
    mode,
    direct,
    target: () => ({
      secureContext,
      // Set explicitly, or NODE_TLS_REJECT_UNAUTHORIZED would decide.
      rejectUnauthorized: verified,
      ...(!named && { checkServerIdentity: acceptAnyName }),
      ...(servername !== undefined && { servername }),
    }),
    finish(given, host) {
      if (given === false && direct)
        throw new ConfigError("ssl.negotiation 'direct' needs TLS, which beforeConnect has switched off");
      const options = isOptions(given) ? ownOf(given) : given;
      if (!isOptions(options) || options.secureContext !== secureContext) return finish(options, host);
      const added = contextOptions(options);
      if (Object.keys(added).length === 0) return finish(options, host);
      const rest = { ...options };
      delete rest.secureContext;
      // libpq's rule for `require`: with a root certificate the server is verified.
      if (added.ca !== undefined && mode === 'require') rest.rejectUnauthorized = true;
      return finish({ ...rest, ...material, ...added }, host);
    },
  };
}

/** The option with the server name for SNI; none for an address, which RFC 6066 does not allow. */
export function serverName(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** The checks that look at nothing but the server's own certificate. */
const leafChecks = new WeakSet<NonNullable<tls.ConnectionOptions['checkServerIdentity']>>();

/**
 * Keeps Node from converting the certificates of all issuers, which takes ten times as long as the server's own, for a
 * check that does not look at them. Call it before the handshake ends.
 */
export function convertLeafOnly(stream: Socket, { checkServerIdentity }: tls.ConnectionOptions): void {
  if (checkServerIdentity === undefined || !leafChecks.has(checkServerIdentity)) return;
  const secured = stream as Socket & Pick<tls.TLSSocket, 'getPeerCertificate'>;
  const convert = secured.getPeerCertificate.bind(secured) as (detailed: boolean) => tls.PeerCertificate;
  secured.getPeerCertificate = () => convert(false) as tls.DetailedPeerCertificate;
  secured.once('secureConnect', () => Reflect.deleteProperty(secured, 'getPeerCertificate'));
}

const acceptAnyName = (): undefined => undefined;

function isOptions(value: unknown): value is tls.ConnectionOptions {
  return typeof value === 'object' && value !== null;
}

/** A copy without a prototype, so that a polluted Object.prototype adds no options. */
function ownOf<T extends object>(options: T): T {
  return Object.assign<object, T>(Object.create(null) as object, options);
}

function finish(options: unknown, host: string): false | tls.ConnectionOptions {
  if (options === false) return false;
  // For anything else the driver would read PGSSLMODE, or take a string for a mode.
  if (!isOptions(options)) throw new ConfigError('ssl must be false or an object of TLS options');
  const final = ownOf(options);
  // A hook may have set anything.
  checkText(final.servername, 'ssl.servername');
  checkFunction(final.checkServerIdentity, 'ssl.checkServerIdentity');
  if (final.secureContext === undefined) {
    const own = contextOptions(final);
    if (own.ca !== undefined) own.ca = givenRoots([own.ca].flat().map(String));
    final.secureContext = createContext(own, 'ssl of the connection target');
  }
  // The context now holds these values, and inspecting it does not show them.
  for (const key of CONTEXT_KEYS) Reflect.deleteProperty(final, key);
  const given = final.servername || host;
  // A fully qualified name may end with a dot for the resolver; in a certificate and in SNI (RFC 6066) it must not.
  const name = given.replace(/(?<=.)\.$/, '');
  if (name !== given) final.servername = name;
  const check = final.checkServerIdentity ?? checkIdentity;
  // Node passes `localhost` when the driver did not give it a host.
  final.checkServerIdentity = (_name, certificate) => check(name, certificate);
  if (check === checkIdentity || check === acceptAnyName) leafChecks.add(final.checkServerIdentity);
  // RFC 6066 does not allow an address as server name.
  if (final.servername !== undefined && isIP(final.servername) !== 0) delete final.servername;
  return final;
}

function checkIdentity(name: string, certificate: tls.PeerCertificate): Error | undefined {
  // Some releases of Node 22, 24 and 26 do not match IPv6 addresses in a certificate (nodejs/node#64144). Certificates
  // contain no zone.
  if (isIP(name) === 6 && new X509Certificate(certificate.raw).checkIP(name.replace(/%.*/, '')))
    return undefined;
  return tls.checkServerIdentity(name, certificate);
}

// Every option that a SecureContext is made from, including those of newer Node versions.
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
