/** How many objects are kept even if nothing else references them. */
const KEPT = 100;

/** One shared object per key: kept while something references it; the 100 most recently requested are always kept. */
export class SharedByKey<T extends object> {
  readonly #living = new Map<string, WeakRef<T>>();
  /** In order of the last request, the most recent one last. */
  readonly #kept = new Map<string, T>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    // Another object may have been added under this key since.
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
