import {
  checkOneOf,
  checkText,
  optional,
  readFields,
  refuseUnknown,
  runChecks,
  type Check,
  type Checked,
  type Checks,
  type Unchecked,
} from './checks.js';
import {
  TLS_MIN_VERSIONS,
  TLS_NEGOTIATIONS,
  type SslMode,
  type TlsMinVersion,
  type TlsNegotiation,
} from './ssl-mode.js';
import { ConfigError } from '../errors.js';

/** Certificates and names for TLS; they take precedence over the environment, and can never weaken `sslMode`. */
export interface SslOptions {
  /** Root certificates, PEM; default the file that PGSSLROOTCERT names, else Node's. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** Client certificate, PEM, with `key`; default the file that PGSSLCERT names. */
  readonly cert?: string | Buffer | undefined;
  /** Private key of `cert`, PEM; default the file that PGSSLKEY names. */
  readonly key?: string | Buffer | undefined;
  /** Passphrase of the private key; default none. */
  readonly passphrase?: string | undefined;
  /** Name that is sent to the server and verified instead of the host; default the host that is dialled. */
  readonly servername?: string | undefined;
  /** Lowest TLS version; default TLSv1.2. */
  readonly minVersion?: TlsMinVersion | undefined;
  /**
   * How TLS begins: `direct`, at once, which saves a round trip and needs PostgreSQL 17 and pg 8.22 or later; default
   * `postgres`, after a request to the server.
   */
  readonly negotiation?: TlsNegotiation | undefined;
}

// Checked first, in this order: the options that must be given together.
const CERTIFICATE_CHECKS = {
  ca: certificates,
  cert: pem,
  key: pem,
} satisfies { readonly [K in keyof SslOptions]?: Check };

const OTHER_CHECKS = {
  passphrase(value, name): string | undefined {
    if (value === undefined || typeof value === 'string') return value;
    throw new ConfigError(`${name} must be a string`);
  },
  servername(value, name): string | undefined {
    checkText(value, name);
    if (value === '') throw new ConfigError(`${name} must not be empty`);
    return value;
  },
  minVersion: optional(checkOneOf(TLS_MIN_VERSIONS)),
  negotiation: optional(checkOneOf(TLS_NEGOTIATIONS)),
} satisfies Checks<Omit<SslOptions, keyof typeof CERTIFICATE_CHECKS>>;

const HIDDEN = ['key', 'passphrase'] as const satisfies readonly (keyof SslOptions)[];
const KEYS = [...Object.keys(CERTIFICATE_CHECKS), ...Object.keys(OTHER_CHECKS)];

/**
 * The option `ssl`, checked and copied. Every string is PEM except `passphrase`, `servername` and members with their
 * own types; `key` and `passphrase` are not enumerable, so that no inspection prints them.
 */
export type SslSettings = Checked<typeof CERTIFICATE_CHECKS> & Checked<typeof OTHER_CHECKS>;

/** Checks and copies the option `ssl`; throws ConfigError for the first violation. */
export function sslSettings(value: unknown, mode: SslMode): SslSettings | undefined {
  if (value === undefined) return undefined;
  const fields: Unchecked<SslOptions> = readFields(value, 'ssl');
  for (const name of HIDDEN) {
    // node-postgres also hides the key of an object that it was given.
    if (Object.hasOwn(value as object, name)) fields[name] ??= (value as SslOptions)[name] ?? undefined;
  }
  for (const name of ['rejectUnauthorized', 'checkServerIdentity']) {
    // Either could switch off the verification that the mode requires.
    if (name in fields) throw new ConfigError(`ssl.${name} is refused: sslMode says what is verified`);
  }
  refuseUnknown(fields, KEYS, 'ssl');
  if (mode === 'disable')
    throw new ConfigError('ssl is given but sslMode is disable: use require or stronger');
  const { key, ...shown } = runChecks(CERTIFICATE_CHECKS, fields, 'ssl.');
  if ((shown.cert === undefined) !== (key === undefined)) {
    throw new ConfigError('ssl.cert and ssl.key must be given together');
  }
  const { passphrase, ...others } = runChecks(OTHER_CHECKS, fields, 'ssl.');
  const hidden = { key: { value: key }, passphrase: { value: passphrase } };
  return Object.freeze(Object.defineProperties({ ...shown, ...others }, hidden)) as SslSettings;
}

function certificates(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return Object.freeze(list.map((item) => pem(item, name) ?? ''));
}

function pem(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  const text = value instanceof Uint8Array ? Buffer.from(value).toString() : value;
  if (typeof text !== 'string') throw new ConfigError(`${name} must be PEM text, as a string or Buffer`);
  // Node treats an empty string as unset, which would weaken the requested security.
  if (text === '') throw new ConfigError(`${name} must not be empty`);
  return text;
}
