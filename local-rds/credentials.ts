import { randomBytes } from 'node:crypto';
import type { SecretKey } from './sigv4-signature.js';

/** An access key in the form that the AWS SDK accepts. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When it expires; default never. */
  readonly expiration?: Date;
}

/** A temporary access key, such as an assumed role has. */
export type TemporaryAccessKey = Required<AccessKey>;

/** The properties of a temporary key. */
export interface TemporaryKeyOptions {
  /** Milliseconds until it expires; default 1 h. */
  readonly lifetimeMs?: number;
  /** Length of its session token in characters; default 1200, which makes login tokens of about 1.6 kB. */
  readonly sessionTokenLength?: number;
}

const HOUR_MS = 3_600_000;

/** The access keys that a stand-in accepts. */
export class CredentialStore {
  readonly #keys = new Map<string, AccessKey>();
  #current: AccessKey;

  constructor() {
    this.#current = this.add();
  }

  /** The current long-lived key. */
  get current(): AccessKey {
    return this.#current;
  }

  /** Accepts a key; default a new random long-lived one. */
  add(key: AccessKey = randomKey('AKIA')): AccessKey {
    this.#keys.set(key.accessKeyId, key);
    return key;
  }

  /** Stops accepting a key; returns whether it was accepted before. */
  remove(accessKeyId: string): boolean {
    return this.#keys.delete(accessKeyId);
  }

  /** Replaces the long-lived key with a new one and returns that; the old key is no longer accepted. */
  rotate(): AccessKey {
    this.remove(this.#current.accessKeyId);
    this.#current = this.add();
    return this.#current;
  }

  /** Creates a temporary key with a session token, and accepts it. */
  issueTemporary({
    lifetimeMs = HOUR_MS,
    sessionTokenLength = 1200,
  }: TemporaryKeyOptions = {}): TemporaryAccessKey {
    const key = {
      ...randomKey('ASIA'),
      // Standard base64: + and / get longer when escaped, as in real session tokens.
      sessionToken: randomBytes(sessionTokenLength).toString('base64').slice(0, sessionTokenLength),
      expiration: new Date(Date.now() + lifetimeMs),
    };
    this.add(key);
    return key;
  }

  /** The secret of a key, if that is accepted at `now`. */
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
