import type { ConnectionOptions, PeerCertificate } from 'node:tls';
import { ConfigError } from '../errors.js';
import { isObject } from '../settings/checks.js';
import type { SslMode } from '../settings/ssl-mode.js';
import type { SslOptions } from '../settings/options.js';
import { withHidden } from './read.js';

/** The driver's `ssl` as a mode and the options added to it. */
export interface PgSsl {
  readonly sslMode: SslMode;
  readonly ssl: SslOptions | undefined;
  /** Members without an effect. */
  readonly dropped: readonly string[];
}

const SECRET = ['key', 'passphrase'];
const TAKEN = ['ca', 'cert', ...SECRET, 'servername', 'minVersion'];
// These affect the security of the connection, and the option `ssl` has no equivalent.
const WITHOUT_PLACE = [
  ...['secureContext', 'pfx', 'crl', 'ciphers', 'sigalgs', 'ecdhCurve', 'dhparam', 'maxVersion'],
  ...['secureProtocol', 'secureOptions', 'honorCipherOrder', 'allowPartialTrustChain', 'minDHSize'],
  ...['clientCertEngine', 'privateKeyEngine', 'privateKeyIdentifier', 'ALPNProtocols', 'pskCallback'],
];

/**
 * Translates the driver's `ssl`. `drivers`: the driver made it from a URL, and its `checkServerIdentity` accepts every
 * name. `direct`: TLS begins at once. Throws ConfigError for settings that the modes cannot express.
 */
export function sslOf(value: unknown, drivers: boolean, direct: boolean): PgSsl {
  if (!value) return { sslMode: 'disable', ssl: undefined, dropped: [] };
  const negotiation = direct ? ({ negotiation: 'direct' } as const) : undefined;
  if (value === true) return { sslMode: 'verify-full', ssl: negotiation, dropped: [] };
  if (!isObject(value)) {
    throw new ConfigError('ssl must be true, false or an object of TLS options; in a URL give sslmode');
  }
  const given = withHidden(value, ...SECRET) as Record<string, unknown> & ConnectionOptions;
  const unverified = given.rejectUnauthorized === false;
  const ssl: Record<string, unknown> = { ...negotiation };
  const dropped: string[] = [];
  for (const [name, member] of Object.entries(given)) {
    if (member === undefined || name === 'rejectUnauthorized' || name === 'checkServerIdentity') continue;
    if (WITHOUT_PLACE.includes(name)) {
      throw new ConfigError(`ssl.${name} is refused: set it on target.ssl in a beforeConnect hook`);
    }
    // With a root certificate the mode `require` would verify.
    if (!TAKEN.includes(name) || (name === 'ca' && unverified)) dropped.push(`ssl.${name}`);
    else Object.defineProperty(ssl, name, { value: member, enumerable: !SECRET.includes(name) });
  }
  return {
    sslMode: unverified ? 'require' : namesVerified(given, drivers) ? 'verify-full' : 'verify-ca',
    ssl: Object.getOwnPropertyNames(ssl).length === 0 ? undefined : ssl,
    dropped,
  };
}

function namesVerified({ checkServerIdentity: check }: ConnectionOptions, drivers: boolean): boolean {
  if (check === undefined) return true;
  if (drivers || acceptsEveryName(check)) return false;
  throw new ConfigError(
    'ssl.checkServerIdentity is refused: sslMode says which names are verified; for a check of your own set target.ssl in a beforeConnect hook',
  );
}

/** Whether a check accepts a server whose certificate contains no name. */
function acceptsEveryName(check: NonNullable<ConnectionOptions['checkServerIdentity']>): boolean {
  try {
    return check('nobody.invalid', {} as PeerCertificate) === undefined;
  } catch {
    return false;
  }
}
