import { randomBytes } from 'node:crypto';
import type { SecretKey } from './sigv4-signature.js';

/** An access key as the AWS SDK takes it. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When it stops being accepted; default never. */
  readonly expiration?: Date;
}

/** A temporary access key, as a role gives it. */
export type TemporaryAccessKey = Required<AccessKey>;

/** How a temporary key is made. */
export interface TemporaryKeyOptions {
  /** Milliseconds until it expires; default 1 h. */
  readonly lifetimeMs?: number;
  /** Characters of its session token; default 1200, which makes tokens of about 1.6 kB. */
  readonly sessionTokenLength?: number;
}

const HOUR_MS = 3_600_000;

/** The access keys a stand-in accepts. */
export class CredentialStore {
  readonly #keys = new Map<string, AccessKey>();
  #current: AccessKey;

  constructor() {
    this.#current = this.add();
  }

  /** The long-lived key now in use. */
  get current(): AccessKey {
    return this.#current;
  }

  /** Accepts a key; default a new random long-lived one. */
  add(key: AccessKey = randomKey('AKIA')): AccessKey {
    this.#keys.set(key.accessKeyId, key);
    return key;
  }

  /** Accepts a key no longer; says whether it did before. */
  remove(accessKeyId: string): boolean {
    return this.#keys.delete(accessKeyId);
  }

  /** Replaces the long-lived key by a new one and returns that; the old one is accepted no longer. */
  rotate(): AccessKey {
    this.remove(this.#current.accessKeyId);
    this.#current = this.add();
    return this.#current;
  }

  /** Makes and accepts a temporary key with a session token. */
  issueTemporary({
    lifetimeMs = HOUR_MS,
    sessionTokenLength = 1200,
  }: TemporaryKeyOptions = {}): TemporaryAccessKey {
    const key = {
      ...randomKey('ASIA'),
      // Standard base64: its + and / grow when escaped, as those of real ones do.
      sessionToken: randomBytes(sessionTokenLength).toString('base64').slice(0, sessionTokenLength),
      expiration: new Date(Date.now() + lifetimeMs),
    };
    this.add(key);
    return key;
  }

  /** The secret of a key that is accepted at `now`. */
  find(accessKeyId: string, now = new Date()): SecretKey | undefined {
    const key = this.#keys.get(accessKeyId);
    return key?.expiration && key.expiration <= now ? undefined : key;
  }
}

function randomKey(prefix: 'AKIA' | 'ASIA') {
  return {
    accessKeyId: prefix + randomBytes(8).toString('hex').toUpperCase(),
    secretAccessKey: randomBytes(30).toString('base64'),
  };
}
