import { devNull } from 'node:os';

/** Keeps the user's own AWS account and client certificate out of this process: the demo signs with keys from `credentialsUrl` only. */
export function useOnly(credentialsUrl: string): void {
  for (const name of Object.keys(process.env)) {
    if (/^(AWS_|PGSSL)/.test(name)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: credentialsUrl,
  });
}
