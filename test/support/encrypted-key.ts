import { createPrivateKey } from 'node:crypto';

/** Encrypts a private key with a passphrase. */
export function encryptedKey(keyPem: string, passphrase: string): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  return createPrivateKey(keyPem).export(options).toString();
}
