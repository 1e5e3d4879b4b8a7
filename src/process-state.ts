/** The version of the package. */
export const VERSION = '0.1.0';

// One process may hold several copies of this package: two versions, the layers of a bundler, a module that a dev server
// or a test runner evaluates again. State of the process is therefore kept on globalThis, not in modules.
const OF_ALL_VERSIONS = Symbol.for('pgauge.state.1');
const OF_THIS_VERSION = Symbol.for(`pgauge.state.1@${VERSION}`);

/**
 * State that all copies in this process share, whatever their version: only maps and sets of plain values, whose
 * meaning never changes.
 */
export function sharedByAll<T>(name: string, create: () => T): T {
  return shared(OF_ALL_VERSIONS, name, create);
}

/** State that the copies of this version share: it may hold instances of this package's classes. */
export function sharedByVersion<T>(name: string, create: () => T): T {
  return shared(OF_THIS_VERSION, name, create);
}

function shared<T>(key: symbol, name: string, create: () => T): T {
  const holder = globalThis as unknown as Record<symbol, Map<string, unknown> | undefined>;
  let states = holder[key];
  if (states === undefined) {
    states = new Map();
    Object.defineProperty(globalThis, key, { value: states });
  }
  if (!states.has(name)) states.set(name, create());
  return states.get(name) as T;
}
