import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const LOOK_EVERY_MS = 250;
// One Ctrl-C may arrive more than once: from the terminal, and forwarded by npm and tsx.
const SAME_SIGNAL_MS = 1_000;

/**
 * Aborts `signal` when the program should end: on SIGINT, SIGTERM or SIGHUP, when the reader of its output closes the
 * pipe, or when npm exits; a second signal ends the process at once.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #timer = watchNpm(() => this.#end('SIGTERM'));
  #by: (typeof SIGNALS)[number] | 'SIGPIPE' | undefined;
  #at = 0;

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#caught);
    process.stdout.on('error', this.#readerGone);
    process.stderr.on('error', this.#readerGone);
  }

  /** 128 plus the signal's number, like shells; undefined when there was no signal. */
  get exitCode(): number | undefined {
    return this.#by && 128 + constants.signals[this.#by];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const name of SIGNALS) process.off(name, this.#caught);
  }

  readonly #caught = (name: NodeJS.Signals): void => {
    if (this.#by && performance.now() - this.#at > SAME_SIGNAL_MS) process.exit(this.exitCode);
    this.#end(name as (typeof SIGNALS)[number]);
  };

  readonly #readerGone = (): void => this.#end('SIGPIPE');

  #end(by: (typeof SIGNALS)[number] | 'SIGPIPE'): void {
    if (this.#by) return;
    this.#by = by;
    this.#at = performance.now();
    this.#controller.abort();
  }
}

// npm forwards a signal to the shell between npm and this process; the shell exits and leaves this process running.
function watchNpm(gone: () => void): NodeJS.Timeout | undefined {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) gone();
  }, LOOK_EVERY_MS).unref();
}
