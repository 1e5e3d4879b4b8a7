import { createHash } from 'node:crypto';

/** What a gate has seen; all cumulative since its start but `open`. */
export interface GateStats {
  /** Connections now open (current). */
  readonly open: number;
  /** TCP connections accepted, those refused or black-holed included. */
  readonly connections: number;
  /** Startup messages read. */
  readonly startups: number;
  readonly tokensAccepted: number;
  readonly tokensRejected: number;
  /** Why the last token was rejected; holds no part of it. */
  readonly lastRejectReason: string | undefined;
  /** Cancel requests passed on. */
  readonly cancels: number;
  /** Distinct tokens presented. */
  readonly tokensSeen: number;
  /** Tokens presented that had been presented before. */
  readonly duplicates: number;
}

/** Counts what passes a gate. */
export class GateCounter {
  connections = 0;
  startups = 0;
  cancels = 0;
  #accepted = 0;
  #rejected = 0;
  #duplicates = 0;
  #lastRejectReason: string | undefined;
  // Hashes only: tokens are secrets for their 15 minutes.
  readonly #seen = new Set<string>();

  /** Counts a token; `reason` when it was rejected. */
  countToken(token: string, reason: string | undefined): void {
    const hash = createHash('sha256').update(token).digest('base64');
    if (this.#seen.has(hash)) this.#duplicates += 1;
    this.#seen.add(hash);
    if (reason === undefined) {
      this.#accepted += 1;
    } else {
      this.#rejected += 1;
      this.#lastRejectReason = reason;
    }
  }

  /** A copy of the counts. */
  snapshot(open: number): GateStats {
    return {
      open,
      connections: this.connections,
      startups: this.startups,
      tokensAccepted: this.#accepted,
      tokensRejected: this.#rejected,
      lastRejectReason: this.#lastRejectReason,
      cancels: this.cancels,
      tokensSeen: this.#seen.size,
      duplicates: this.#duplicates,
    };
  }
}
