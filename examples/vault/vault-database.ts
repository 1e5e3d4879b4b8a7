import type { DynamicAuthCustom } from '../../src/index.js';

/** The part of Vault's answer that is used. */
interface Lease {
  readonly lease_duration: number;
  readonly data: { readonly username: string; readonly password: string };
}

/** Logs in with the roles that Vault's database secrets engine makes; each lives as long as its lease. */
export function vaultDatabase(role: string): DynamicAuthCustom {
  return {
    name: 'vault',
    hint: `the server rejected a login of Vault: see whether its lease of database/creds/${role} still exists`,
    // Vault drops the database role at the end of the lease.
    retireAtExpiry: true,
    async issue(_target, { signal }) {
      const { VAULT_ADDR = '', VAULT_TOKEN = '' } = process.env;
      const askedAt = Date.now();
      const response = await fetch(new URL(`/v1/database/creds/${role}`, VAULT_ADDR), {
        headers: { 'X-Vault-Token': VAULT_TOKEN },
        signal,
      });
      if (!response.ok) throw new Error(`Vault answered HTTP ${response.status}`);
      const { lease_duration, data } = (await response.json()) as Lease;
      return {
        user: data.username,
        password: data.password,
        expiresAt: new Date(askedAt + lease_duration * 1_000),
      };
    },
  };
}
