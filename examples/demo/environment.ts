import { devNull } from 'node:os';

const FOREIGN = /^(AWS_|AZURE_|GCE_|GOOGLE_|GCLOUD_|IDENTITY_|MSI_|PGSSL|VAULT_)/;

/** Removes the user's own accounts and client certificate from this process, which gets only `source`'s credentials. */
export function useOnly(source: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) {
    if (FOREIGN.test(name)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    ...source,
  });
}

/** The environment in which the AWS SDK gets keys from this container credential endpoint. */
export function containerCredentials(url: string): Readonly<Record<string, string>> {
  return { AWS_CONTAINER_CREDENTIALS_FULL_URI: url };
}
