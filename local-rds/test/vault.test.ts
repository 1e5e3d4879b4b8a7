import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { usePostgres } from '../../test/support/servers.js';
import { startVault, type Vault } from '../vault.js';

interface Lease {
  readonly lease_id: string;
  readonly lease_duration: number;
  readonly data: { readonly username: string; readonly password: string };
}

describe('the stand-in for Vault', () => {
  const server = usePostgres();
  let vault: Vault;

  beforeEach(async () => {
    vault = await startVault({
      query: (sql) => server().query(sql),
      grants: (role) => `GRANT CREATE ON SCHEMA public TO ${role}`,
    });
  });
  afterEach(() => vault.stop());

  const ask = (path = '/v1/database/creds/app', init: RequestInit = {}): Promise<Response> =>
    fetch(vault.endpoint + path, { headers: { 'X-Vault-Token': vault.token }, ...init });
  const lease = async (): Promise<Lease> => (await (await ask()).json()) as Lease;

  async function logIn({ data: { username, password } }: Lease): Promise<string> {
    const { host, port, database } = server();
    const client = new pg.Client({ host, port, database, user: username, password });
    try {
      await client.connect();
      await client.query('create table if not exists of_a_lease (id int)');
      return 'in';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  it('creates a role with the configured grants for each lease, which can log in', async () => {
    const [one, two] = [await lease(), await lease()];
    expect(one.lease_duration).toBe(3_600);
    expect(one.data.username).not.toBe(two.data.username);
    expect(await logIn(one)).toBe('in');
    expect(vault.passwords).toEqual([one.data.password, two.data.password]);
  });

  it('refuses logins after a lease has expired', async () => {
    vault.setLease(-1_000);
    expect(await logIn(await lease())).toBe('28P01');
  });

  it('drops the role of a revoked lease, with all that it owns', async () => {
    const [one, two] = [await lease(), await lease()];
    await logIn(one);
    const revoked = await ask('/v1/sys/leases/revoke', {
      method: 'PUT',
      body: JSON.stringify({ lease_id: one.lease_id }),
    });
    expect(revoked.status).toBe(204);
    expect(await logIn(one)).toBe('28P01');
    expect(await logIn(two)).toBe('in');
    await vault.revokeAll();
    expect(await logIn(two)).toBe('28P01');
  });

  it.each<[string, string, RequestInit, number, string]>([
    ['no token', '/v1/database/creds/app', { headers: {} }, 400, 'missing client token'],
    [
      'another token',
      '/v1/database/creds/app',
      { headers: { 'X-Vault-Token': 'x' } },
      403,
      'permission denied',
    ],
    ['another role', '/v1/database/creds/other', {}, 400, 'unknown role: other'],
    ['another method', '/v1/database/creds/app', { method: 'POST' }, 405, 'unsupported operation'],
    ['another path', '/v1//database/creds/app', {}, 404, 'no handler for route "/v1//database/creds/app"'],
    ['no lease to revoke', '/v1/sys/leases/revoke', { method: 'PUT' }, 400, '"lease_id" must be specified'],
  ])('refuses a request with %s', async (_what, path, init, status, error) => {
    const answer = await ask(path, init);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ errors: [error] });
  });

  it('answers 503 while it is sealed', async () => {
    vault.setSealed(true);
    expect((await ask()).status).toBe(503);
    vault.setSealed(false);
    expect((await ask()).status).toBe(200);
  });
});
