import { createHash } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { sharedByVersion } from '../process-state.js';

/** The maximum number of contents kept: a process uses few bundles of roots, and each takes about a megabyte. */
const MOST_KEPT = 8;

interface Shared {
  /** Parsed root certificates by the digest of their texts. */
  readonly roots: Map<string, string[]>;
  readonly digests: WeakMap<string[], string>;
  /** Contexts without a private key. */
  readonly contexts: Map<string, SecureContext>;
  /** Contexts with a private key, which live no longer than the pools that use them. */
  readonly withKeys: Map<string, WeakRef<SecureContext>>;
}

// The certificates of a bundle take 25 ms to check, and another 25 ms to load into a context.
const shared = sharedByVersion<Shared>('tlsCache', () => ({
  roots: new Map(),
  digests: new WeakMap(),
  contexts: new Map(),
  withKeys: new Map(),
}));

/** The root certificates of these texts: `parse` runs once for each content. Its errors are not cached. */
export function parsedRoots(texts: readonly string[], parse: () => string[]): string[] {
  const digest = digestOf(texts);
  const known = shared.roots.get(digest);
  const roots = known ?? parse();
  keep(shared.roots, digest, roots);
  shared.digests.set(roots, digest);
  return roots;
}

/** The context of these options: `create` runs once for each content, if the roots come from `parsedRoots`. */
export function sharedContext(options: SecureContextOptions, create: () => SecureContext): SecureContext {
  const { ca, cert, key, passphrase, minVersion, ...others } = options;
  // A context without its own roots has Node's, which a program may change at any time.
  const roots = Array.isArray(ca) ? shared.digests.get(ca as string[]) : undefined;
  const texts = [cert, key, passphrase, minVersion].map((value) => value ?? '');
  if (roots === undefined || Object.keys(others).length > 0 || !texts.every(isText)) return create();
  const digest = digestOf([roots, ...texts]);
  if (key === undefined) {
    const context = shared.contexts.get(digest) ?? create();
    keep(shared.contexts, digest, context);
    return context;
  }
  const context = shared.withKeys.get(digest)?.deref() ?? create();
  keep(shared.withKeys, digest, new WeakRef(context));
  return context;
}

/** Keeps the values that were used last. */
function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MOST_KEPT) break;
    map.delete(oldest);
  }
}

function digestOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  // Each text with its length, so that the same characters divided differently have another digest.
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('base64');
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
