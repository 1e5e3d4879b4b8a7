import { startVault, type HttpFault } from '../../../local-rds/index.js';
import { vaultDatabase } from '../../../examples/vault/vault-database.js';
import { setEnv } from '../environment.js';
import type { BackendCase, SourceFault } from './backend-case.js';

const CREDS = '/v1/database/creds/app';

const FAULTS: Readonly<Partial<Record<SourceFault, HttpFault>>> = {
  hang: { hang: true },
  late: { delayMs: 3_000 },
  empty: { body: '' },
  'no text': {
    body: JSON.stringify({ lease_duration: 60, data: { username: 'app', password: ['canary'] } }),
  },
  html: { body: '<html>canary</html>' },
  binary: { body: '\u0000\u0001canary\r\n' },
  huge: { body: 'canary'.repeat(500_000) },
  expired: { body: JSON.stringify({ lease_duration: 0, data: { username: 'app', password: 'canary' } }) },
  'of another user': {
    body: JSON.stringify({ lease_duration: 60, data: { username: 'postgres', password: 'canary' } }),
  },
};

/** The recipe of the guide: database roles of Vault, each with a lease. */
export const vaultCase: BackendCase = {
  backend: 'custom',
  provider: 'vault',
  fetches: true,
  faults: {
    down: /failed to issue a password: Vault answered HTTP 503$/,
    hang: /timeout/,
    late: /timeout/,
    empty: /the answer could not be parsed$/,
    'no text': /the token is no text$/,
    html: /the answer could not be parsed$/,
    binary: /the answer could not be parsed$/,
    huge: /the answer could not be parsed$/,
    expired: /the token expired at/,
    'of another user': 'rejected',
  },
  hint: /lease of database\/creds\/app/,
  refusedSettings: [],
  packages: [],

  async start(rds) {
    const vault = await startVault({ query: (sql) => rds.postgres.query(sql) });
    setEnv({ VAULT_ADDR: vault.endpoint, VAULT_TOKEN: vault.token });
    return {
      user: 'nobody yet',
      dynamicAuth: { custom: vaultDatabase('app') },
      set(fault) {
        vault.setSealed(fault === 'down');
        vault.set((fault && FAULTS[fault]) ?? {});
      },
      rotate: () => vault.revokeAll(),
      secrets: () => [...vault.passwords, vault.token],
      fetches: () => vault.calls()[`GET ${CREDS}`] ?? 0,
      [Symbol.asyncDispose]: () => vault.stop(),
    };
  },
};
