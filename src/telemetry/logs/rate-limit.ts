/** Lets one event of each kind through per interval and counts the others. */
export class RateLimit {
  private readonly kinds = new Map<string, { since: number; suppressed: number }>();

  constructor(
    private readonly intervalMs: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** How many of this kind were held back since the last one let through; `undefined` if this one is held back too. */
  admit(kind: string): number | undefined {
    const now = this.nowMs();
    const last = this.kinds.get(kind);
    if (last !== undefined && now - last.since < this.intervalMs) {
      last.suppressed++;
      return undefined;
    }
    this.kinds.set(kind, { since: now, suppressed: 0 });
    return last?.suppressed ?? 0;
  }
}
