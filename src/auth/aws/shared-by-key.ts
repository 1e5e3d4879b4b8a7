/** How many objects are kept although nothing else holds them. */
const KEPT = 100;

/** One object per key for all that ask: kept as long as something holds it, and the last 100 asked for in any case. */
export class SharedByKey<T extends object> {
  readonly #living = new Map<string, WeakRef<T>>();
  /** The last one asked for is the last one here. */
  readonly #kept = new Map<string, T>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    // Another one may have been made under its key.
    if (this.#living.get(key)?.deref() === undefined) this.#living.delete(key);
  });

  get(key: string, make: () => T): T {
    const value = this.#living.get(key)?.deref() ?? this.#add(key, make());
    this.#kept.delete(key);
    this.#kept.set(key, value);
    const [oldest = ''] = this.#kept.keys();
    if (this.#kept.size > KEPT) this.#kept.delete(oldest);
    return value;
  }

  #add(key: string, value: T): T {
    this.#living.set(key, new WeakRef(value));
    this.#collected.register(value, key);
    return value;
  }
}
