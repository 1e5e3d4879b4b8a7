import { readFields, checkText, refuseUnknown, type Unchecked } from './checks.js';
import { TLS_MIN_VERSIONS, type SslMaterial, type SslMode, type TlsMinVersion } from './ssl-mode.js';
import { ConfigError } from '../errors.js';

/** What `sslMode` may be given beside the environment; it adds to the mode and can never weaken it. */
export interface SslOptions {
  /** Root certificates, PEM; default the file that PGSSLROOTCERT names, else Node's. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** Client certificate, PEM, with `key`; default the file that PGSSLCERT names. */
  readonly cert?: string | Buffer | undefined;
  /** Private key of `cert`, PEM; default the file that PGSSLKEY names. */
  readonly key?: string | Buffer | undefined;
  /** Passphrase of the private key; default none. */
  readonly passphrase?: string | undefined;
  /** Name asked for and verified instead of the host; default the host that is dialled. */
  readonly servername?: string | undefined;
  /** Lowest TLS version; default TLSv1.2. */
  readonly minVersion?: TlsMinVersion | undefined;
}

const KEYS = ['ca', 'cert', 'key', 'passphrase', 'servername', 'minVersion'] satisfies (keyof SslOptions)[];

/** The option `ssl`, checked and copied; throws ConfigError for what is refused. */
export function resolveSsl(value: unknown, mode: SslMode): SslMaterial | undefined {
  if (value === undefined) return undefined;
  const fields: Unchecked<SslOptions> = readFields(value, 'ssl');
  for (const name of ['rejectUnauthorized', 'checkServerIdentity']) {
    // Either could switch off what the mode promises.
    if (name in fields) throw new ConfigError(`ssl.${name} is refused: sslMode says what is verified`);
  }
  refuseUnknown(fields, KEYS, 'ssl');
  if (mode === 'disable')
    throw new ConfigError('ssl is given but sslMode is disable: use require or stronger');
  const ca = fields.ca === undefined ? undefined : Object.freeze(certificates(fields.ca));
  const cert = pem(fields.cert, 'ssl.cert');
  const key = pem(fields.key, 'ssl.key');
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError('ssl.cert and ssl.key must be given together');
  }
  const { passphrase, servername, minVersion } = fields;
  if (passphrase !== undefined && typeof passphrase !== 'string') {
    throw new ConfigError('ssl.passphrase must be a string');
  }
  checkText(servername, 'ssl.servername');
  if (servername === '') throw new ConfigError('ssl.servername must not be empty');
  if (minVersion !== undefined && !(TLS_MIN_VERSIONS as readonly unknown[]).includes(minVersion)) {
    throw new ConfigError(`ssl.minVersion must be one of ${TLS_MIN_VERSIONS.join(', ')}`);
  }
  const material = { ca, cert, servername, minVersion: minVersion as TlsMinVersion | undefined };
  return Object.freeze(
    Object.defineProperties(material, { key: { value: key }, passphrase: { value: passphrase } }),
  ) as SslMaterial;
}

function certificates(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map((item) => pem(item, 'ssl.ca') ?? '');
}

function pem(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  const text = value instanceof Uint8Array ? Buffer.from(value).toString() : value;
  if (typeof text !== 'string') throw new ConfigError(`${name} must be PEM text, as a string or Buffer`);
  // Node takes an empty text for none, which would weaken what was asked for.
  if (text === '') throw new ConfigError(`${name} must not be empty`);
  return text;
}
