/** How long a refusal and the network's part of a login take, in milliseconds. */
const REFUSED_MS = 1;
const LOGIN_MS = 10;

/** What a server can take. */
export interface ServerLimits {
  readonly loginsPerSecond: number;
  readonly maxConnections: number;
}

/** An established connection, as the server knows it. */
export interface ServerSession {
  close(): void;
}

/** A server that logs in so many a second, one after the other, and goes on with logins whose clients gave up. */
export class SimulatedServer {
  readonly #limits: ServerLimits;
  readonly #sessions = new Set<() => void>();
  /** Without the seconds in which there were none. */
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

  /** Current: sessions. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Ends every session, and refuses all until `start`. */
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

  /** An attempt; `done` is told once, and `lost` when the session ends by itself. Gives what the client closes it with, at any time. */
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
