import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { CredentialStore, type TemporaryAccessKey } from './credentials.js';

/** How {@link startImds} sets the service up. */
export interface ImdsOptions {
  /** Region the instance is in; default `eu-central-1`. */
  readonly region?: string;
  /** Name of the instance's role; default `local-rds`. */
  readonly role?: string;
  /** Address to listen on; default `127.0.0.1`. */
  readonly bindHost?: string;
  /** Port to listen on; default a free one. */
  readonly port?: number;
  /** Makes the role's credentials; default keys nobody accepts. For a `LocalRds`: `(lifetimeMs) => rds.credentials.issueTemporary({ lifetimeMs })`. */
  readonly credentials?: (lifetimeMs: number) => TemporaryAccessKey;
}

/** What can go wrong; absent or `undefined` means it does not. */
export interface ImdsFault {
  /** Path prefix the fault holds for; default all paths. */
  readonly path?: string;
  /** Milliseconds before the answer. */
  readonly delayMs?: number;
  /** Status instead of the right one. */
  readonly status?: number;
  /** Body instead of the right one. */
  readonly body?: string;
  /** Accepts the request and never answers. */
  readonly hang?: boolean;
}

const TOKEN_PATH = '/latest/api/token';
const ROLES_PATH = '/latest/meta-data/iam/security-credentials/';
const MAX_TTL_S = 21_600;
const DEFAULT_LIFETIME_MS = 6 * 3_600_000;
// The service hands out new credentials this long before the old ones expire.
const RENEWAL_MS = 5 * 60_000;

/** Starts a stand-in for the instance metadata service, version 2; use its `endpoint` as AWS_EC2_METADATA_SERVICE_ENDPOINT. */
export async function startImds(options: ImdsOptions = {}): Promise<Imds> {
  const imds = new Imds(options);
  await imds.listen();
  return imds;
}

/** A running metadata service. */
export class Imds {
  readonly #region: string;
  readonly #role: string;
  readonly #listenAt: { readonly host: string; readonly port: number };
  readonly #issue: (lifetimeMs: number) => TemporaryAccessKey;
  readonly #tokens = new Map<string, number>();
  readonly #calls = new Map<string, number>();
  readonly #server = createServer((request, response) => this.#receive(request, response));
  #fault: ImdsFault = {};
  #lifetimeMs = DEFAULT_LIFETIME_MS;
  #credentials: TemporaryAccessKey | undefined;

  /** @internal */
  constructor(options: ImdsOptions) {
    const nobodys = new CredentialStore();
    this.#region = options.region ?? 'eu-central-1';
    this.#role = options.role ?? 'local-rds';
    this.#listenAt = { host: options.bindHost ?? '127.0.0.1', port: options.port ?? 0 };
    this.#issue = options.credentials ?? ((lifetimeMs) => nobodys.issueTemporary({ lifetimeMs }));
  }

  /** Port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Base address, `http://127.0.0.1:port`. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Replaces the fault by another; `{}` ends it. */
  set(fault: ImdsFault): void {
    this.#fault = fault;
  }

  /** Lifetime in milliseconds of the credentials handed out from now on; the present ones are dropped. */
  setCredentialsLifetime(lifetimeMs: number): void {
    this.#lifetimeMs = lifetimeMs;
    this.#credentials = undefined;
  }

  /** Requests so far by method and path, as in `GET /latest/meta-data/placement/region`. */
  calls(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#calls);
  }

  /** Stops listening and closes all connections, hanging ones included. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  /** As `stop()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** @internal */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#listenAt, resolve);
    });
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    // As strict as the strictest server: a path with two slashes is another path.
    const path = request.url ?? '/';
    const call = `${request.method ?? ''} ${path}`;
    this.#calls.set(call, (this.#calls.get(call) ?? 0) + 1);
    const fault = path.startsWith(this.#fault.path ?? '/') ? this.#fault : {};
    if (fault.hang) return;
    setTimeout(() => this.#answer(request, path, fault, response), fault.delayMs ?? 0);
  }

  #answer(request: IncomingMessage, path: string, fault: ImdsFault, response: ServerResponse): void {
    const right = path === TOKEN_PATH ? this.#makeToken(request) : this.#read(request, path);
    const { status, body, headers } = { ...right, ...definedOf(fault) };
    // The length is left out: an overriding body may lie about nothing then.
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body);
  }

  #makeToken(request: IncomingMessage): Answer {
    if (request.method !== 'PUT') return refusal(405);
    // A proxy that forwards requests of others must not get a token.
    if (request.headers['x-forwarded-for'] !== undefined) return refusal(403);
    const ttl = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds'] ?? NaN);
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > MAX_TTL_S) return refusal(400);
    const token = randomBytes(40).toString('base64');
    this.#tokens.set(token, Date.now() + ttl * 1000);
    return {
      status: 200,
      body: token,
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(ttl) },
    };
  }

  #read(request: IncomingMessage, path: string): Answer {
    if (request.method !== 'GET') return refusal(405);
    const token = request.headers['x-aws-ec2-metadata-token'];
    const expires = typeof token === 'string' ? this.#tokens.get(token) : undefined;
    if (expires === undefined || expires <= Date.now()) return refusal(401);
    const body = this.#document(path);
    return body === undefined ? refusal(404) : { status: 200, body, headers: {} };
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

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function refusal(status: number): Answer {
  return { status, body: `${status}`, headers: {} };
}

function definedOf({ status, body }: ImdsFault): Partial<Answer> {
  return { ...(status === undefined ? {} : { status }), ...(body === undefined ? {} : { body }) };
}

function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
