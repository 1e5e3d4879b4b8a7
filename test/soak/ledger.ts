/** What is known about a row of the load. */
const FATE = {
  /** No statement that writes it was sent to be committed, or the server rejected it. */
  absent: 0,
  /** It may have been committed: the answer was lost. */
  unknown: 1,
  /** The server confirmed that it is committed. */
  committed: 2,
} as const;

const CHUNK = 20_000;

/** Records each row that the load writes, and compares them with the rows on the server. */
export class Ledger {
  // Stored outside of the heap, because the growth of the heap is measured.
  #fates = new Uint8Array(1 << 16);
  #next = 0;

  /** The id of a row that is about to be written. */
  begin(): number {
    const id = this.#next;
    this.#next += 1;
    if (id >= this.#fates.length) {
      const larger = new Uint8Array(this.#fates.length * 2);
      larger.set(this.#fates);
      this.#fates = larger;
    }
    return id;
  }

  /** From now on, and until the answer, the fate is unknown. */
  sent(id: number): void {
    this.#fates[id] = FATE.unknown;
  }

  committed(id: number): void {
    this.#fates[id] = FATE.committed;
  }

  refused(id: number): void {
    this.#fates[id] = FATE.absent;
  }

  /** Compares the records with the table. */
  async compare(
    read: (from: number, to: number) => Promise<readonly (readonly [number, number])[]>,
  ): Promise<{
    committed: number;
    unknown: number;
    unknownWritten: number;
    lost: number;
    duplicated: number;
    unexpected: number;
  }> {
    const found = { committed: 0, unknown: 0, unknownWritten: 0, lost: 0, duplicated: 0, unexpected: 0 };
    for (let from = 0; from < this.#next; from += CHUNK) {
      const to = Math.min(from + CHUNK, this.#next);
      const counts = new Map(await read(from, to));
      for (let id = from; id < to; id += 1) {
        const count = counts.get(id) ?? 0;
        const fate = this.#fates[id];
        if (count > 1) found.duplicated += 1;
        if (fate === FATE.committed) {
          found.committed += 1;
          if (count === 0) found.lost += 1;
        } else if (fate === FATE.unknown) {
          found.unknown += 1;
          if (count > 0) found.unknownWritten += 1;
        } else if (count > 0) found.unexpected += 1;
      }
    }
    return found;
  }
}
