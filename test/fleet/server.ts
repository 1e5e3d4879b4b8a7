/** How long a refusal and the network's part of a login take, in milliseconds. */
const REFUSED_MS = 1;
const LOGIN_MS = 10;

/** The limits of a server. */
export interface ServerLimits {
  readonly loginsPerSecond: number;
  readonly maxConnections: number;
}

/** An established connection, as the server knows it. */
export interface ServerSession {
  close(): void;
}

/** A server with a fixed rate of logins, one after the other, which continues logins whose clients gave up. */
export class SimulatedServer {
  readonly #limits: ServerLimits;
  readonly #sessions = new Set<() => void>();
  /** Sparse: seconds without dials are missing. */
  readonly #dials: (number | undefined)[] = [];
  #up = true;
  #queued = 0;
  #freeAt = 0;

  constructor(limits: ServerLimits) {
    this.#limits = limits;
  }

  /** Attempts to connect in each second, from second 0 on. */
  get dials(): readonly number[] {
    return Array.from(this.#dials, (count) => count ?? 0);
  }

  /** Current: the number of sessions. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Ends every session, and refuses connections until `start`. */
  stop(): void {
    this.#up = false;
    const lost = [...this.#sessions];
    this.#sessions.clear();
    for (const tell of lost) tell();
  }

  start(): void {
    this.#up = true;
    this.#freeAt = performance.now();
  }

  /**
   * Makes an attempt; `done` is called once, and `lost` when the server ends the session. Returns the session, which
   * the client may close at any time.
   */
  dial(done: (error: Error | undefined) => void, lost: () => void): ServerSession {
    const now = performance.now();
    const second = Math.floor(now / 1_000);
    this.#dials[second] = (this.#dials[second] ?? 0) + 1;
    let closed = false as boolean;
    const close = (): void => {
      closed = true;
      this.#sessions.delete(lost);
    };
    const fail = (code: string): void => {
      setTimeout(() => closed || done(Object.assign(new Error(code), { code })), REFUSED_MS);
    };
    if (!this.#up) fail('ECONNREFUSED');
    else if (this.#sessions.size + this.#queued >= this.#limits.maxConnections) fail('53300');
    else {
      this.#queued += 1;
      this.#freeAt = Math.max(now, this.#freeAt) + 1_000 / this.#limits.loginsPerSecond;
      setTimeout(
        () => {
          this.#queued -= 1;
          if (closed) return;
          this.#sessions.add(lost);
          done(undefined);
        },
        this.#freeAt - now + LOGIN_MS,
      );
    }
    return { close };
  }
}
