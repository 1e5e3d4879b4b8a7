/** What a contender reports, one line per event: the Unix time in milliseconds, the kind, and its words. */
export type EventKind =
  /** A write was acknowledged: its id. */
  | 'acked'
  /** A read succeeded. */
  | 'read'
  /** An acquire failed: the code. */
  | 'no-connection'
  /** A query failed: the code, and the id if it was a write. */
  | 'failed'
  /** A connection was dialled. */
  | 'dial'
  /** The contender has ended: the totals of its pool as JSON. */
  | 'ended';

export interface LoadEvent {
  readonly at: number;
  readonly kind: EventKind;
  readonly words: readonly string[];
}

/** Prints an event of this process. */
export function tell(kind: EventKind, ...words: (string | number)[]): void {
  process.stdout.write(`${[Date.now(), kind, ...words].join(' ')}\n`);
}

/** Parses an event from a line. */
export function parseEvent(line: string): LoadEvent {
  const [at, kind, ...words] = line.split(' ');
  return { at: Number(at), kind: kind as EventKind, words };
}
