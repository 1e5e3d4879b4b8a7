/** The number of texts after which a {@link TextMemo} begins to forget. */
export const MEMO_TEXTS = 1_000;
/** The number of characters of these texts after which it does. */
export const MEMO_CHARACTERS = 1_000_000;

/**
 * Keeps what was computed of the latest texts, those that come back longest: when a generation is full it becomes the
 * old one, and of the old one only what is asked for again is kept.
 */
export class TextMemo<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #characters = 0;

  /** What is kept of a text, if anything. */
  find(text: string): T | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.keep(text, old);
    return old;
  }

  /** Keeps the value of a text, unless it is so long that it would displace many others. */
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
