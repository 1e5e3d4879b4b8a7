/** The longest delay a Node timer keeps, in milliseconds; a longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** A timer that fires later than this, in milliseconds, was held up: the process was busy or suspended. */
export const LATE_MS = 20;
/** The minimum extension of a deadline that was held up, in milliseconds. */
const GRACE_MS = 1_000;
/**
 * Turns of the event loop before a deadline expires: one reads arrived data, the next reports sockets closed by that.
 */
const TURNS = 2;

/**
 * A time limit that lets data that has arrived be read before it expires. Node runs timers before it reads sockets:
 * after a stall of the event loop, an answer that arrived in time would otherwise be read too late.
 *
 * - `expired` is called two turns of the event loop after the timer has fired, unless `clear` is called meanwhile.
 * - A timer that fires more than 20 ms late starts again, once: some work needs several answers and could not request
 *   them during the stall. The extension is as long as the first timer was late, at least a second, and at most the
 *   limit itself. A dead peer is thus detected within twice the limit, plus the stall.
 *
 * Every limit of a pool is a Deadline: connecting (hooks included), acquiring, the ping, settling, queries, cancel
 * requests, closing sockets, `endTimeoutMs`, `leakDetectionMs`, saturation, and everything that runs `withTimeout`. A
 * connection's lifetime and idle time are ages, which follow the clock, as they do on the server; backoff, top-up and
 * health check are pauses, which only start something.
 */
export class Deadline {
  readonly #limitMs: number;
  readonly #expired: (upTo: number) => void;
  #keepsAlive: boolean;
  #extended = false;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  /**
   * Starts at once, with at most `MAX_TIMER_MS`; keeps the process alive only with `keepsAlive`. `expired` gets the
   * time at which the timer fired. If `ms` is the rest of a limit that began earlier, `limitMs` is the whole limit.
   */
  constructor(ms: number, expired: (upTo: number) => void, keepsAlive = false, limitMs = ms) {
    this.#limitMs = limitMs;
    this.#expired = expired;
    this.#keepsAlive = keepsAlive;
    this.#start(ms);
  }

  /** Ends the deadline: `expired` will not be called. */
  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
  }

  /** Sets whether it keeps the process alive from now on. */
  keepAlive(keeps: boolean): void {
    this.#keepsAlive = keeps;
    if (keeps) this.#timer?.ref();
    else this.#timer?.unref();
  }

  #start(ms: number): void {
    const dueAt = performance.now() + ms;
    this.#timer = setTimeout(() => this.#afterTurns(TURNS, dueAt, performance.now()), ms);
    if (!this.#keepsAlive) this.#timer.unref();
  }

  #afterTurns(turns: number, dueAt: number, firedAt: number): void {
    const lateMs = firedAt - dueAt;
    if (turns > 0) {
      // Not unref'd, or the event loop could block for I/O in the turn that should pass.
      this.#look = setImmediate(() => this.#afterTurns(turns - 1, dueAt, firedAt));
    } else if (lateMs > LATE_MS && !this.#extended) {
      this.#extended = true;
      this.#start(Math.min(this.#limitMs, Math.max(lateMs, GRACE_MS)));
    } else {
      this.#expired(firedAt);
    }
  }
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it is aborted; `work` itself runs on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    const settled = (): void => signal.removeEventListener('abort', abort);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
    work.then(resolve, reject).then(settled, settled);
  });
}

/** Runs `work` with a signal that is aborted with `signal`, and with a timeout after `timeoutMs`. */
export async function withTimeout<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any with AbortSignal.timeout: Node 20 may collect the timeout before it fires.
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal?.reason);
  const late = (): void =>
    controller.abort(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
  const deadline = new Deadline(timeoutMs, late, true);
  if (signal?.aborted) follow();
  const forget = signal && onAbort(signal, follow);
  try {
    return await work(controller.signal);
  } finally {
    deadline.clear();
    forget?.();
  }
}

interface Waiting {
  readonly calls: Set<() => void>;
  readonly abort: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `listener` when a signal is aborted; returns a function that removes it. A user's signal may serve any number
 * of waits at once: they share one listener, or Node would warn of a leak at the eleventh.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const waiting = waitingFor.get(signal) ?? startWaiting(signal);
  waiting.calls.add(listener);
  return () => {
    waiting.calls.delete(listener);
    // An aborted signal has removed the listener itself.
    if (waiting.calls.size > 0 || signal.aborted) return;
    // Node keeps a signal that depends on other signals in memory as long as it has a listener.
    signal.removeEventListener('abort', waiting.abort);
    if (waitingFor.get(signal) === waiting) waitingFor.delete(signal);
  };
}

function startWaiting(signal: AbortSignal): Waiting {
  const calls = new Set<() => void>();
  const waiting = { calls, abort: () => calls.forEach((call) => call()) };
  signal.addEventListener('abort', waiting.abort, { once: true });
  waitingFor.set(signal, waiting);
  return waiting;
}
