import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import pg from 'pg';
import { HttpStandIn, type Answer, type ListenOptions } from './http-stand-in.js';

/** Options of {@link startVault}. */
export interface VaultOptions extends ListenOptions {
  /** Runs a statement on the database as a user who may create roles. */
  readonly query: (sql: string) => Promise<unknown>;
  /** The only role of the database secrets engine; default `app`. */
  readonly role?: string;
  /** Returns the SQL that each lease runs for its role, given the quoted name; default none. */
  readonly grants?: (role: string) => string;
}

const HOUR_MS = 3_600_000;
const CREDS = '/v1/database/creds/';
const REVOKE = '/v1/sys/leases/revoke';

/**
 * Starts a stand-in for HashiCorp Vault with a database secrets engine that creates real roles; use its `endpoint` as
 * VAULT_ADDR.
 */
export async function startVault(options: VaultOptions): Promise<Vault> {
  const vault = new Vault(options);
  await vault.listen();
  return vault;
}

/** A running Vault, as strict as a real one about tokens, paths and methods. */
export class Vault extends HttpStandIn {
  /** The value that a client must send as `X-Vault-Token`. */
  readonly token = `hvs.${randomBytes(24).toString('base64url')}`;
  readonly #query: VaultOptions['query'];
  readonly #role: string;
  readonly #grants: (role: string) => string;
  readonly #leases = new Map<string, string>();
  readonly #passwords: string[] = [];
  #leaseMs = HOUR_MS;
  #graceMs = 0;
  #sealed = false;

  /** @internal */
  constructor({ query, role = 'app', grants = () => '', ...listen }: VaultOptions) {
    super(listen);
    this.#query = query;
    this.#role = role;
    this.#grants = grants;
  }

  /** The passwords issued so far. */
  get passwords(): readonly string[] {
    return this.#passwords;
  }

  /**
   * Sets the duration of leases issued from now on, in milliseconds, which Vault reports in whole seconds; default an
   * hour. Their passwords are valid for `graceMs` longer.
   */
  setLease(leaseMs: number, graceMs = 0): void {
    this.#leaseMs = leaseMs;
    this.#graceMs = graceMs;
  }

  /** Seals or unseals the Vault; while sealed, it answers 503 to every request. */
  setSealed(sealed: boolean): void {
    this.#sealed = sealed;
  }

  /** Ends all leases and drops their roles. */
  async revokeAll(): Promise<void> {
    await Promise.all([...this.#leases.keys()].map((lease) => this.#revoke(lease)));
  }

  protected override async answer(request: IncomingMessage, url: URL, body: string): Promise<Answer> {
    if (this.#sealed) return refusal(503, 'Vault is sealed');
    const token = request.headers['x-vault-token'];
    if (token === undefined) return refusal(400, 'missing client token');
    if (token !== this.token) return refusal(403, 'permission denied');
    if (url.pathname === REVOKE) return await this.#answerRevoke(request, body);
    if (!url.pathname.startsWith(CREDS)) return refusal(404, `no handler for route "${url.pathname}"`);
    if (request.method !== 'GET') return refusal(405, 'unsupported operation');
    const role = url.pathname.slice(CREDS.length);
    return role === this.#role ? await this.#lease(role) : refusal(400, `unknown role: ${role}`);
  }

  async #lease(role: string): Promise<Answer> {
    const username = `v-token-${role}-${randomBytes(10).toString('hex')}`;
    const password = randomBytes(15).toString('base64url');
    const until = new Date(Date.now() + this.#leaseMs + this.#graceMs).toJSON();
    const name = pg.escapeIdentifier(username);
    const login = `LOGIN PASSWORD ${pg.escapeLiteral(password)} VALID UNTIL ${pg.escapeLiteral(until)}`;
    await this.#query(`CREATE ROLE ${name} ${login}; ${this.#grants(name)}`);
    const lease = `database/creds/${role}/${randomBytes(12).toString('base64url')}`;
    this.#leases.set(lease, username);
    this.#passwords.push(password);
    return json(200, {
      request_id: randomUUID(),
      lease_id: lease,
      renewable: true,
      lease_duration: Math.floor(this.#leaseMs / 1_000),
      data: { username, password },
      wrap_info: null,
      warnings: null,
      auth: null,
    });
  }

  async #answerRevoke({ method }: IncomingMessage, body: string): Promise<Answer> {
    if (method !== 'PUT' && method !== 'POST') return refusal(405, 'unsupported operation');
    const lease = leaseIn(body);
    if (lease === undefined) return refusal(400, '"lease_id" must be specified');
    await this.#revoke(lease);
    return { status: 204, body: '', headers: {} };
  }

  async #revoke(lease: string): Promise<void> {
    const username = this.#leases.get(lease);
    if (username === undefined) return;
    this.#leases.delete(lease);
    const name = pg.escapeIdentifier(username);
    await this.#query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
  }
}

function leaseIn(body: string): string | undefined {
  try {
    const { lease_id: lease } = JSON.parse(body) as { readonly lease_id?: unknown };
    return typeof lease === 'string' ? lease : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number, error: string): Answer {
  return json(status, { errors: [error] });
}

function json(status: number, content: object): Answer {
  return { status, body: JSON.stringify(content), headers: { 'content-type': 'application/json' } };
}
