import { mkdir, mkdtemp, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startVault, type LocalRds } from '../../../local-rds/index.js';
import { vaultDatabase } from '../../vault/vault-database.js';
import { createRole, grantOwner, newPassword, setPassword } from './roles.js';
import { GRACE_MS, slow, type LoginSource } from './source.js';

/** Vault reports lifetimes in whole seconds. */
const SHORTEST_MS = 2_000;

/** Roles of Vault's database secrets engine, each with a lease. */
export async function startVaultLeases(rds: LocalRds, lifetimeMs: number): Promise<LoginSource> {
  const query = (sql: string): Promise<unknown> => rds.postgres.query(sql);
  const vault = await startVault({ query, grants: (role) => grantOwner(rds, role) });
  const lastsMs = Math.max(SHORTEST_MS, lifetimeMs);
  vault.setLease(lastsMs, GRACE_MS);
  return {
    about: 'a role and a password of a lease of Vault',
    user: rds.user,
    dynamicAuth: { custom: vaultDatabase('app') },
    env: { VAULT_ADDR: vault.endpoint, VAULT_TOKEN: vault.token },
    lifetimeMs: lastsMs,
    trouble: slow('Vault', vault, '/v1/database/creds/'),
    [Symbol.asyncDispose]: () => vault.stop(),
  };
}

/** The user and the password in two files that are replaced together, as the kubelet does. */
export async function startPasswordFile(rds: LocalRds): Promise<LoginSource> {
  const roles = ['file_a', 'file_b'];
  for (const name of roles) await createRole(rds, name, { password: newPassword() });
  // In the server's folder, which is always removed, even if this process is killed.
  const folder = join(rds.postgres.socketDir, 'secret');
  await mkdir(folder, { mode: 0o700 });
  let next = 0;
  const rotate = async (): Promise<void> => {
    const user = roles[next++ % roles.length] ?? '';
    const version = await mkdtemp(join(folder, 'version-'));
    await writeFile(join(version, 'user'), user);
    await writeFile(join(version, 'password'), await setPassword(rds, user), { mode: 0o600 });
    await symlink(version, join(folder, 'next'));
    await rename(join(folder, 'next'), join(folder, 'now'));
  };
  await rotate();
  return {
    about: 'the user and the password that two files hold',
    user: rds.user,
    dynamicAuth: {
      passwordFile: { path: join(folder, 'now/password'), userPath: join(folder, 'now/user') },
    },
    env: {},
    lifetimeMs: 0,
    trouble: {
      about: 'a file is never slow: the user and the password in it change instead',
      begin: rotate,
      met: () => true,
      end: () => undefined,
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
