import { afterEach, beforeEach } from 'vitest';
import { setEnv, useCleanAwsEnvironment } from './aws-environment.js';

export { setEnv, useImds } from './aws-environment.js';

const CHANGED =
  /^PG|^VAULT_|^NODE_PG_|^NODE_TLS_|^NODE_EXTRA_CA_CERTS$|^GCE_|^GOOGLE_|^GCLOUD_|^CLOUDSDK_|^METADATA_SERVER_|^AZURE_|^IDENTITY_|^MSI_/;

/**
 * Gives every test an environment without variables of PostgreSQL, the clouds and Vault, with an empty home, no
 * metadata service and the variables that `variables` returns; restores the environment afterwards.
 */
export function useCleanEnvironment(variables: () => Readonly<Record<string, string>> = () => ({})): {
  readonly home: string;
} {
  const place = useCleanAwsEnvironment();
  let saved: NodeJS.ProcessEnv = {};
  beforeEach(() => {
    saved = Object.fromEntries(Object.entries(process.env).filter(([name]) => CHANGED.test(name)));
    clear();
    setEnv(variables());
  });
  afterEach(() => {
    clear();
    Object.assign(process.env, saved);
  });
  return place;
}

function clear(): void {
  for (const name of Object.keys(process.env)) if (CHANGED.test(name)) setEnv({ [name]: undefined });
}
