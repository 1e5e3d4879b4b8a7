import { devNull } from 'node:os';

/** Keeps the user's own AWS account and client certificate out of this process: it signs with keys from where `source` says only. */
export function useOnly(source: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) {
    if (/^(AWS_|PGSSL)/.test(name)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, {
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    ...source,
  });
}

/** What makes the AWS SDK ask this endpoint of a container for keys. */
export function containerCredentials(url: string): Readonly<Record<string, string>> {
  return { AWS_CONTAINER_CREDENTIALS_FULL_URI: url };
}
