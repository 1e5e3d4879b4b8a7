import { createPrivateKey } from 'node:crypto';

/** The same private key under a passphrase. */
export function encryptedKey(keyPem: string, passphrase: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  return createPrivateKey(keyPem).export(options).toString();
}
