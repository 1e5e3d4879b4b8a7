import { createHash } from 'node:crypto';

/** The counts of a gate; all but `open` are cumulative since its start. */
export interface GateStats {
  /** Open connections (current). */
  readonly open: number;
  /** TCP connections accepted, including those then reset or left unanswered. */
  readonly connections: number;
  /** Startup messages read. */
  readonly startups: number;
  readonly tokensAccepted: number;
  readonly tokensRejected: number;
  /** Why the last rejected token was rejected; contains no part of it. */
  readonly lastRejectReason: string | undefined;
  /** Cancel requests forwarded to the server. */
  readonly cancels: number;
  /** Distinct tokens presented. */
  readonly tokensSeen: number;
  /** How many times a token was presented again. */
  readonly duplicates: number;
}

/** Counts the connections, logins and tokens of a gate. */
export class GateCounter {
  connections = 0;
  startups = 0;
  cancels = 0;
  #accepted = 0;
  #rejected = 0;
  #duplicates = 0;
  #lastRejectReason: string | undefined;
  // Hashes only, because a token is a secret for 15 minutes.
  readonly #seen = new Set<string>();

  /** Counts a token; `reason` is set if it was rejected. */
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
