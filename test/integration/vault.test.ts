import { afterEach, beforeEach, expect, test } from 'vitest';
import { startVault, type Vault } from '../../local-rds/index.js';
import { vaultDatabase } from '../../examples/vault/vault-database.js';
import { setEnv, useCleanEnvironment } from '../support/environment.js';
import { useIamPools } from '../support/iam.js';
import { useLocalRds } from '../support/servers.js';
import { until } from '../support/until.js';

const rds = useLocalRds();
useCleanEnvironment();
const makePool = useIamPools(rds);
const CREDS = 'GET /v1/database/creds/app';

let vault: Vault;
beforeEach(async () => {
  vault = await startVault({ query: (sql) => rds().postgres.query(sql) });
  setEnv({ VAULT_ADDR: vault.endpoint, VAULT_TOKEN: vault.token });
});
afterEach(() => vault.stop());

test('with Vault leases that expire one after another, no query fails: connections retire before their role is dropped', async () => {
  vault.setLease(2_000);
  const pool = await makePool(
    { dynamicAuth: { custom: vaultDatabase('app') }, maxOpenConns: 4, minConns: 2 },
    { healthCheckPeriodMs: 100 },
  );
  const users = new Set<unknown>();
  let working = true;
  const worker = async (): Promise<number> => {
    let queries = 0;
    while (working) {
      const { rows } = await pool.query<{ user: string }>('select current_user as user, pg_sleep(0.005)');
      users.add(rows[0]?.user);
      queries += 1;
    }
    return queries;
  };
  const workers = [worker(), worker(), worker(), worker()];
  await until('three leases have served', () => users.size >= 3);
  working = false;
  const queries = await Promise.all(workers);
  expect(queries.every((count) => count > 0)).toBe(true);
  expect(pool.log.named('postgres connect failed')).toEqual([]);
  expect(new Set(pool.log.closeReasons)).toEqual(new Set(['lifetime']));
  // One for each lease, however many connections it opened.
  expect(vault.calls()[CREDS]).toBeLessThanOrEqual(users.size + 1);
});

test('a revoked Vault lease costs one rejected login, and the next attempt requests a new lease', async () => {
  const pool = await makePool({ dynamicAuth: { custom: vaultDatabase('app') } }, { maxUses: 1 });
  await pool.query('select 1');
  await vault.revokeAll();
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: '28P01' });
  expect(pool.log.named('postgres connect failed')[0]?.fields['hint']).toContain('database/creds/app');
  await pool.query('select 1');
  expect(vault.calls()[CREDS]).toBe(2);
});
