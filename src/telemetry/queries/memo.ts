/** A {@link TextMemo} starts a new generation after this many texts. */
export const MEMO_TEXTS = 1_000;
/** It also starts one when the texts add up to this many characters. */
export const MEMO_CHARACTERS = 1_000_000;

/**
 * A bounded cache of values computed from texts. It has two generations: when the young one is full, it replaces the
 * old one, and an entry of the old one survives only if it is requested again.
 */
export class TextMemo<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #characters = 0;

  /** The cached value of a text. */
  find(text: string): T | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.keep(text, old);
    return old;
  }

  /** Caches the value of a text, unless the text is so long that it would displace many others. */
  keep(text: string, value: T): void {
    if (text.length > MEMO_CHARACTERS / 10) return;
    if (this.#young.size >= MEMO_TEXTS || this.#characters > MEMO_CHARACTERS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(text, value);
    this.#characters += text.length;
  }
}
