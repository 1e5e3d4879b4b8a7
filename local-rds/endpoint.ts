import { createCa, type CertificateAuthority } from './certificates.js';
import { CredentialStore } from './credentials.js';
import type { Backend } from './gate-session.js';
import { startGate, type Gate } from './gate.js';
import type { LoginVerifier } from './login-verifier.js';

/** The public side of a stand-in: where it listens, and for which host and region tokens must be signed. */
export interface EndpointOptions {
  /** Database; default `app`. */
  readonly database?: string;
  /** The user who logs in with tokens; default `app`. */
  readonly user?: string;
  /** Region of the tokens; default `eu-central-1`. */
  readonly region?: string;
  /** Host names for which a token may be signed and the certificate is issued; default `localhost`. */
  readonly advertisedHost?: string | readonly string[];
  /** Port for which a token must be signed; default the port it listens on. */
  readonly advertisedPort?: number;
  /** Address to listen on; default `127.0.0.1`. */
  readonly bindHost?: string;
  /** Port to listen on; default a free one. */
  readonly port?: number;
  /** TLS of the gate: `require` refuses unencrypted logins, `allow` accepts them, `off`: no TLS; default `require`. */
  readonly tls?: 'require' | 'allow' | 'off';
}

/** A listening gate with its certificate authority and logins. */
export interface Endpoint {
  readonly region: string;
  readonly user: string;
  readonly database: string;
  readonly ca: CertificateAuthority;
  readonly credentials: CredentialStore;
  /** Users who log in with tokens. */
  readonly iamUsers: Set<string>;
  /** Verifiers for the users whose passwords are verified in another way. */
  readonly verifiers: Map<string, LoginVerifier>;
  readonly gate: Gate;
}

const DEFAULTS = { database: 'app', user: 'app', region: 'eu-central-1', advertisedHost: 'localhost' };

/** Starts a TLS gate that verifies tokens in front of a PostgreSQL server. */
export async function startEndpoint(options: EndpointOptions, backend: Backend): Promise<Endpoint> {
  const ca = await createCa();
  const hosts = [options.advertisedHost ?? DEFAULTS.advertisedHost].flat();
  const certificate = await ca.issue({
    commonName: hosts[0] ?? DEFAULTS.advertisedHost,
    dnsNames: [...new Set([...hosts.filter((host) => !/^[\d.]+$|:/.test(host)), 'localhost'])],
    ipAddresses: ['127.0.0.1', '::1'],
  });
  const region = options.region ?? DEFAULTS.region;
  const credentials = new CredentialStore();
  const iamUsers = new Set<string>();
  const verifiers = new Map<string, LoginVerifier>();
  const gate = await startGate({
    backend,
    ...(options.tls === 'off' ? {} : { tls: { cert: certificate.certPem, key: certificate.keyPem } }),
    requireTls: (options.tls ?? 'require') === 'require',
    ...(options.bindHost === undefined ? {} : { host: options.bindHost }),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.advertisedPort === undefined ? {} : { advertisedPort: options.advertisedPort }),
    advertisedHost: hosts,
    region,
    iamUsers: (name) => iamUsers.has(name),
    credentials: (accessKeyId, now) => credentials.find(accessKeyId, now),
    verifierOf: (name) => verifiers.get(name),
  });
  const user = options.user ?? DEFAULTS.user;
  const database = options.database ?? DEFAULTS.database;
  return { region, user, database, ca, credentials, iamUsers, verifiers, gate };
}

/** The environment in which the AWS SDK signs with the current long-lived key. */
export function awsEnvOf({ credentials, region }: Pick<Endpoint, 'credentials' | 'region'>) {
  const { accessKeyId, secretAccessKey } = credentials.current;
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_REGION: region };
}
