/** Admits one event of each kind per interval and counts the suppressed ones. */
export class RateLimit {
  readonly #kinds = new Map<string, { since: number; suppressed: number }>();
  readonly #intervalMs: number;
  readonly #nowMs: () => number;

  constructor(intervalMs: number, nowMs: () => number = () => performance.now()) {
    this.#intervalMs = intervalMs;
    this.#nowMs = nowMs;
  }

  /** The number of events of this kind suppressed since the last admitted one; `undefined` if this one is suppressed too. */
  admit(kind: string): number | undefined {
    const now = this.#nowMs();
    const last = this.#kinds.get(kind);
    if (last !== undefined && now - last.since < this.#intervalMs) {
      last.suppressed++;
      return undefined;
    }
    this.#kinds.set(kind, { since: now, suppressed: 0 });
    return last?.suppressed ?? 0;
  }
}
