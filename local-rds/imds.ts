import type { IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';
import { CredentialStore, type TemporaryAccessKey } from './credentials.js';
import { HttpStandIn, type Answer, type ListenOptions } from './http-stand-in.js';

/** Options of {@link startImds}. */
export interface ImdsOptions extends ListenOptions {
  /** Region of the instance; default `eu-central-1`. */
  readonly region?: string;
  /** Name of the instance's role; default `local-rds`. */
  readonly role?: string;
  /**
   * Issues the role's credentials; by default, no server accepts them. For a `LocalRds`:
   * `(lifetimeMs) => rds.credentials.issueTemporary({ lifetimeMs })`.
   */
  readonly credentials?: (lifetimeMs: number) => TemporaryAccessKey;
}

const TOKEN_PATH = '/latest/api/token';
const ROLES_PATH = '/latest/meta-data/iam/security-credentials/';
const MAX_TTL_S = 21_600;
const DEFAULT_LIFETIME_MS = 6 * 3_600_000;
// The service issues new credentials this long before the old ones expire.
const RENEWAL_MS = 5 * 60_000;

/**
 * Starts a stand-in for version 2 of the instance metadata service; use its `endpoint` as
 * AWS_EC2_METADATA_SERVICE_ENDPOINT.
 */
export async function startImds(options: ImdsOptions = {}): Promise<Imds> {
  const imds = new Imds(options);
  await imds.listen();
  return imds;
}

/** A running metadata service. */
export class Imds extends HttpStandIn {
  readonly #region: string;
  readonly #role: string;
  readonly #issue: (lifetimeMs: number) => TemporaryAccessKey;
  readonly #tokens = new Map<string, number>();
  #lifetimeMs = DEFAULT_LIFETIME_MS;
  #credentials: TemporaryAccessKey | undefined;

  /** @internal */
  constructor(options: ImdsOptions) {
    super(options);
    const unknownKeys = new CredentialStore();
    this.#region = options.region ?? 'eu-central-1';
    this.#role = options.role ?? 'local-rds';
    this.#issue = options.credentials ?? ((lifetimeMs) => unknownKeys.issueTemporary({ lifetimeMs }));
  }

  /** Sets the lifetime, in milliseconds, of credentials issued from now on; cached ones are dropped. */
  setCredentialsLifetime(lifetimeMs: number): void {
    this.#lifetimeMs = lifetimeMs;
    this.#credentials = undefined;
  }

  protected answer(request: IncomingMessage, { pathname }: URL): Answer {
    return pathname === TOKEN_PATH ? this.#makeToken(request) : this.#read(request, pathname);
  }

  #makeToken(request: IncomingMessage): Answer {
    if (request.method !== 'PUT') return refusal(405);
    // A request that came through a proxy must not get a token.
    if (request.headers['x-forwarded-for'] !== undefined) return refusal(403);
    const ttl = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds'] ?? NaN);
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > MAX_TTL_S) return refusal(400);
    const token = randomBytes(40).toString('base64');
    this.#tokens.set(token, Date.now() + ttl * 1000);
    return text(token, { 'x-aws-ec2-metadata-token-ttl-seconds': String(ttl) });
  }

  #read(request: IncomingMessage, path: string): Answer {
    if (request.method !== 'GET') return refusal(405);
    const token = request.headers['x-aws-ec2-metadata-token'];
    const expires = typeof token === 'string' ? this.#tokens.get(token) : undefined;
    if (expires === undefined || expires <= Date.now()) return refusal(401);
    const body = this.#document(path);
    return body === undefined ? refusal(404) : text(body);
  }

  #document(path: string): string | undefined {
    switch (path) {
      case '/latest/meta-data/placement/region':
        return this.#region;
      case '/latest/meta-data/placement/availability-zone':
        return `${this.#region}a`;
      case '/latest/dynamic/instance-identity/document':
        return JSON.stringify({
          accountId: '123456789012',
          architecture: 'x86_64',
          availabilityZone: `${this.#region}a`,
          instanceId: 'i-0123456789abcdef0',
          instanceType: 'm7i.large',
          region: this.#region,
          version: '2017-09-30',
        });
      case ROLES_PATH:
      case ROLES_PATH.slice(0, -1):
        return this.#role;
      case ROLES_PATH + this.#role:
        return this.#roleCredentials();
      default:
        return undefined;
    }
  }

  #roleCredentials(): string {
    const left = (this.#credentials?.expiration.getTime() ?? 0) - Date.now();
    if (!this.#credentials || left < RENEWAL_MS) this.#credentials = this.#issue(this.#lifetimeMs);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = this.#credentials;
    return JSON.stringify({
      Code: 'Success',
      LastUpdated: isoSeconds(new Date()),
      Type: 'AWS-HMAC',
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: isoSeconds(expiration),
    });
  }
}

function text(body: string, headers: Answer['headers'] = {}): Answer {
  return { status: 200, body, headers: { 'content-type': 'text/plain', ...headers } };
}

function refusal(status: number): Answer {
  return { ...text(`${status}`), status };
}

function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
