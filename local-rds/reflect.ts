// @peculiar/x509 uses a dependency container that asks for three functions of the metadata proposal as it
// loads; this is the part it calls. The import must come before that of @peculiar/x509.
const metadata = new WeakMap<object, Map<unknown, unknown>>();

const functions = {
  getMetadata: (key: unknown, target: object): unknown => metadata.get(target)?.get(key),
  getOwnMetadata: (key: unknown, target: object): unknown => metadata.get(target)?.get(key),
  defineMetadata(key: unknown, value: unknown, target: object): void {
    const known = metadata.get(target) ?? new Map<unknown, unknown>();
    metadata.set(target, known.set(key, value));
  },
};

if (!('getMetadata' in Reflect)) Object.assign(Reflect, functions);
