import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpStandIn, type Answer, type ListenOptions } from './http-stand-in.js';
import { IssuedTokens, type IssuedToken } from './issued-tokens.js';
import type { LoginVerifier } from './login-verifier.js';

/** A managed identity. */
export interface ManagedIdentity {
  /** Name of the identity or of the resource it belongs to; its role in the database has the same name. */
  readonly name: string;
  readonly clientId: string;
}

/** Options of {@link startAzureIdentity}. */
export interface AzureIdentityOptions extends ListenOptions {
  /** The system-assigned identity, `null` for none; default `local-app`. */
  readonly systemAssigned?: string | null;
  /** Names of user-assigned identities; default none. */
  readonly userAssigned?: readonly string[];
  /** The secret that requests must send; default a random one. */
  readonly secret?: string;
}

/** The resource of Azure Database for PostgreSQL. */
export const POSTGRES_RESOURCE = 'https://ossrdbms-aad.database.windows.net';

const APP_SERVICE_PATH = '/msi/token';
const APP_SERVICE_VERSION = '2019-08-01';
const IMDS_PATH = '/metadata/identity/oauth2/token';
const IMDS_VERSION = '2018-02-01';
const DAY_MS = 24 * 3_600_000;
// The endpoints replace a token when less than this is left of its lifetime.
const RENEWAL_MS = 5 * 60_000;

/**
 * Starts a stand-in for the managed identity endpoints of App Service and of virtual machines; `env` points the SDK to
 * the former.
 */
export async function startAzureIdentity(options: AzureIdentityOptions = {}): Promise<AzureManagedIdentity> {
  const server = new AzureManagedIdentity(options);
  await server.listen();
  return server;
}

/** Running managed identity endpoints. */
export class AzureManagedIdentity extends HttpStandIn {
  readonly #header: string;
  readonly #key = randomBytes(32);
  readonly #tokens = new IssuedTokens();
  readonly #current = new Map<string, IssuedToken>();
  readonly #answers = new Map<string, number>();
  #lifetimeMs = DAY_MS;
  #lie: string | undefined;
  /** The identity used when a request names none. */
  readonly systemAssigned: ManagedIdentity | undefined;
  /** The identities that requests name by client ID. */
  readonly userAssigned: readonly ManagedIdentity[];

  /** @internal */
  constructor(options: AzureIdentityOptions) {
    super(options);
    this.#header = options.secret ?? randomBytes(24).toString('hex');
    const identity = (name: string): ManagedIdentity => ({ name, clientId: randomUUID() });
    const system = options.systemAssigned === undefined ? 'local-app' : options.systemAssigned;
    this.systemAssigned = system === null ? undefined : identity(system);
    this.userAssigned = (options.userAssigned ?? []).map(identity);
  }

  /** The environment of an application on App Service. */
  get env(): { IDENTITY_ENDPOINT: string; IDENTITY_HEADER: string } {
    return { IDENTITY_ENDPOINT: this.endpoint + APP_SERVICE_PATH, IDENTITY_HEADER: this.#header };
  }

  /** The environment that points the SDK to the endpoint of virtual machines, which has no variable of its own. */
  get imdsEnv(): { AZURE_POD_IDENTITY_AUTHORITY_HOST: string } {
    return { AZURE_POD_IDENTITY_AUTHORITY_HOST: this.endpoint };
  }

  /** Verifies the logins of the identities by their tokens, as Azure Database for PostgreSQL does. */
  verifier(resource = POSTGRES_RESOURCE): LoginVerifier {
    return this.#tokens.verifier({
      audience: resource,
      roleOf: (name) => name,
      refusal: (_, reason) => ({ code: '28000', message: MESSAGES[reason] ?? INVALID }),
    });
  }

  /** All tokens issued so far. */
  get issued(): readonly string[] {
    return this.#tokens.values;
  }

  /** How many times it has answered with a token of that identity. */
  answersFor(clientId: string): number {
    return this.#answers.get(clientId) ?? 0;
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

  /** From now on issues tokens of another principal; `undefined` ends this. */
  lieAbout(name: string | undefined): void {
    this.#lie = name;
    this.#current.clear();
  }

  /** Revokes all tokens; later requests get new ones. */
  rotate(): void {
    this.#tokens.revoke();
    this.#current.clear();
  }

  protected answer(request: IncomingMessage, url: URL): Answer {
    if (request.method !== 'GET') return refusal(405, 'the method is not allowed');
    const { headers } = request;
    const version = url.searchParams.get('api-version');
    switch (url.pathname.replace(/\/$/, '')) {
      case APP_SERVICE_PATH:
        if (headers['x-identity-header'] !== this.#header) return refusal(401, 'X-IDENTITY-HEADER is wrong');
        if (version !== APP_SERVICE_VERSION) return refusal(400, 'api-version is wrong');
        return this.#token(url.searchParams);
      case IMDS_PATH:
        // A request that came through a proxy must not get a token.
        if (headers['x-forwarded-for'] !== undefined) return refusal(400, 'the request was forwarded');
        if (headers['metadata'] !== 'true') return refusal(400, 'the header Metadata: true is required');
        if (version !== IMDS_VERSION) return refusal(400, 'api-version is wrong');
        return this.#token(url.searchParams);
      default:
        return refusal(404, 'there is nothing here');
    }
  }

  #token(query: URLSearchParams): Answer {
    const resource = query.get('resource');
    if (!resource || !URL.canParse(resource)) return refusal(400, 'resource is required');
    const clientId = query.get('client_id');
    const identity =
      clientId === null
        ? this.systemAssigned
        : this.userAssigned.find((assigned) => assigned.clientId === clientId);
    if (!identity) return refusal(400, NO_IDENTITY);
    this.#answers.set(identity.clientId, this.answersFor(identity.clientId) + 1);
    const key = `${identity.clientId} ${resource}`;
    let token = this.#current.get(key);
    if (!token || token.expiresAt.getTime() - Date.now() < RENEWAL_MS) {
      token = this.#tokens.add(this.#issue(identity, resource));
      this.#current.set(key, token);
    }
    const expires_on = String(Math.floor(token.expiresAt.getTime() / 1_000));
    const body = { access_token: token.value, expires_on, resource, token_type: 'Bearer' };
    return json(200, { ...body, client_id: identity.clientId });
  }

  #issue({ name, clientId }: ManagedIdentity, resource: string): IssuedToken {
    const expiresAt = new Date(Math.floor((Date.now() + this.#lifetimeMs) / 1_000) * 1_000);
    const claims = {
      aud: resource,
      iss: 'https://sts.windows.net/00000000-0000-0000-0000-000000000000/',
      exp: expiresAt.getTime() / 1_000,
      appid: clientId,
      idtyp: 'app',
      oid: randomUUID(),
      xms_mirid: `/subscriptions/0/resourcegroups/local/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`,
    };
    const signed = [{ typ: 'JWT', alg: 'HS256' }, claims].map(base64url).join('.');
    const signature = createHmac('sha256', this.#key).update(signed).digest('base64url');
    return {
      value: `${signed}.${signature}`,
      identity: this.#lie ?? name,
      audience: [resource],
      expiresAt,
    };
  }
}

const NO_IDENTITY =
  'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.';
const INVALID = 'An error occurred while validating the access token. Please acquire a new token and retry.';
/** The server's message for each reason to refuse a login. */
const MESSAGES: Readonly<Record<string, string>> = {
  'the token is for something else': `The access token does not have a valid audience claim. Please acquire a new token for the resource "${POSTGRES_RESOURCE}".`,
};

function base64url(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function json(status: number, body: object): Answer {
  return { status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

function refusal(statusCode: number, message: string): Answer {
  return json(statusCode, { statusCode, message });
}
