import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpStandIn, type Answer, type ListenOptions } from './http-stand-in.js';
import { IssuedTokens, type IssuedToken } from './issued-tokens.js';
import type { LoginVerifier } from './login-verifier.js';

/** Options of {@link startGcpMetadata}. */
export interface GcpMetadataOptions extends ListenOptions {
  /** Email address of the service account; default `app@local-project.iam.gserviceaccount.com`. */
  readonly email?: string;
  /** Project of the machine; default `local-project`. */
  readonly projectId?: string;
  /** Scopes that the machine may request; default those of Cloud SQL and AlloyDB logins. */
  readonly scopes?: readonly string[];
}

/** The scopes of database logins. */
export const LOGIN_SCOPES = {
  cloudsql: 'https://www.googleapis.com/auth/sqlservice.login',
  alloydb: 'https://www.googleapis.com/auth/alloydb.login',
} as const;

const ROOT = '/computeMetadata/v1/';
const HOUR_MS = 3_600_000;
// The server replaces a token when less than this is left of its lifetime.
const RENEWAL_MS = 5 * 60_000;

/** Starts a stand-in for Google Cloud's metadata server; use its `host` as GCE_METADATA_HOST. */
export async function startGcpMetadata(options: GcpMetadataOptions = {}): Promise<GcpMetadata> {
  const server = new GcpMetadata(options);
  await server.listen();
  return server;
}

/** A running metadata server. */
export class GcpMetadata extends HttpStandIn {
  readonly #scopes: readonly string[];
  readonly #projectId: string;
  readonly #tokens = new IssuedTokens();
  readonly #current = new Map<string, IssuedToken>();
  #lifetimeMs = HOUR_MS;
  #identity: string;
  /** Email address of the service account. */
  readonly email: string;

  /** @internal */
  constructor(options: GcpMetadataOptions) {
    super(options);
    this.email = options.email ?? 'app@local-project.iam.gserviceaccount.com';
    this.#identity = this.email;
    this.#projectId = options.projectId ?? 'local-project';
    this.#scopes = options.scopes ?? Object.values(LOGIN_SCOPES);
  }

  /** `address:port`, for GCE_METADATA_HOST. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The database user of the service account. */
  get user(): string {
    return databaseUser(this.email);
  }

  /** Verifies the logins of the service account's database user by its tokens, as Cloud SQL does. */
  verifier(product: keyof typeof LOGIN_SCOPES = 'cloudsql'): LoginVerifier {
    return this.#tokens.verifier({
      audience: LOGIN_SCOPES[product],
      roleOf: databaseUser,
      refusal: (user) => ({
        code: '28000',
        message: `Cloud SQL IAM service account authentication failed for user "${user}"`,
      }),
    });
  }

  /** All tokens issued so far. */
  get issued(): readonly string[] {
    return this.#tokens.values;
  }

  /**
   * Sets the lifetime, in milliseconds, of tokens issued from now on; a negative one makes expired tokens. Cached
   * tokens are dropped. The server accepts every token for `graceMs` after its expiry.
   */
  setTokenLifetime(lifetimeMs: number, graceMs = 0): void {
    this.#lifetimeMs = lifetimeMs;
    this.#tokens.graceMs = graceMs;
    this.#current.clear();
  }

  /** From now on issues tokens of another account, while still reporting its own name. */
  lieAbout(identity = this.email): void {
    this.#identity = identity;
    this.#current.clear();
  }

  /** Revokes all tokens; later requests get new ones. */
  rotate(): void {
    this.#tokens.revoke();
    this.#current.clear();
  }

  protected answer(request: IncomingMessage, url: URL): Answer {
    const { headers, method } = request;
    if (method !== 'GET') return refusal(405);
    // A request that came through a proxy must not get a token.
    if (headers['x-forwarded-for'] !== undefined) return refusal(403);
    if (headers['metadata-flavor'] !== 'Google') return refusal(403);
    if (!url.pathname.startsWith(ROOT)) return refusal(404);
    return this.#read(url.pathname.slice(ROOT.length), url.searchParams);
  }

  #read(path: string, query: URLSearchParams): Answer {
    const [, account, property] = /^instance\/service-accounts\/([^/]+)\/(\w*)$/.exec(path) ?? [];
    if (account === 'default' || account === this.email) return this.#account(property ?? '', query);
    switch (path) {
      case 'project/project-id':
        return text(this.#projectId);
      case 'universe/universe-domain':
        return text('googleapis.com');
      case 'instance/':
        return text('id\nservice-accounts/\nzone\n');
      case 'instance/service-accounts/':
        return text(`default/\n${this.email}/\n`);
      case 'instance':
      case 'instance/service-accounts':
        return { ...text(''), status: 301, headers: { ...FLAVOR, location: `${ROOT}${path}/` } };
      default:
        return refusal(404);
    }
  }

  #account(property: string, query: URLSearchParams): Answer {
    switch (property) {
      case '':
        return text('aliases\nemail\nidentity\nscopes\ntoken\n');
      case 'email':
        return text(this.email);
      case 'scopes':
        return text(`${this.#scopes.join('\n')}\n`);
      case 'token':
        return this.#token(query.get('scopes')?.split(',') ?? this.#scopes);
      default:
        return refusal(404);
    }
  }

  #token(asked: readonly string[]): Answer {
    const granted = asked.filter((scope) => this.#scopes.includes(scope));
    if (granted.length === 0) return refusal(403);
    const key = granted.join();
    let token = this.#current.get(key);
    if (!token || token.expiresAt.getTime() - Date.now() < RENEWAL_MS) {
      token = this.#tokens.add({
        value: `ya29.c.${randomBytes(700).toString('base64url')}`,
        identity: this.#identity,
        audience: granted,
        expiresAt: new Date(Date.now() + this.#lifetimeMs),
      });
      this.#current.set(key, token);
    }
    const expires_in = Math.floor((token.expiresAt.getTime() - Date.now()) / 1_000);
    const body = JSON.stringify({ access_token: token.value, expires_in, token_type: 'Bearer' });
    return { status: 200, body, headers: { ...FLAVOR, 'content-type': 'application/json' } };
  }
}

const FLAVOR = { 'metadata-flavor': 'Google', server: 'Metadata Server for VM' };

function text(body: string): Answer {
  return { status: 200, body, headers: { ...FLAVOR, 'content-type': 'application/text' } };
}

function refusal(status: number): Answer {
  return { status, body: `${status}`, headers: { ...FLAVOR, 'content-type': 'text/html; charset=UTF-8' } };
}

function databaseUser(email: string): string {
  return email.replace(/\.gserviceaccount\.com$/, '');
}
