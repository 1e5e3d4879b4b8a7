import { Deadline } from '../deadline.js';
import type { DriverClient } from './driver.js';

/** The sockets of a pool that `end()` waits for: those that are destroyed and not yet closed, and those of cancel requests. */
export class ClosingSockets {
  #open = 0;
  #onNone: (() => void) | undefined;

  /** Counts a socket; what it returns is to be called once the socket is closed. */
  add(): () => void {
    this.#open += 1;
    return () => {
      this.#open -= 1;
      if (this.#open === 0) this.#onNone?.();
    };
  }

  /** Destroys the client's socket now: says goodbye if the socket takes it, waits for nothing. */
  destroy(client: DriverClient, closed?: () => void): void {
    const { stream } = client.connection;
    const remove = this.add();
    const onClosed = (): void => {
      closed?.();
      remove();
    };
    if (stream.closed) process.nextTick(onClosed);
    else stream.once('close', onClosed);
    // In the middle of a login or an answer a goodbye would be a protocol violation.
    if (client.readyForQuery !== true) stream.destroy();
    // Marks the client as ending, so that nothing of the close is reported as an unexpected loss.
    client.end(() => undefined);
    stream.destroy();
  }

  /** Resolves when none is left, or after `timeoutMs`. */
  allClosed(timeoutMs: number): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = new Deadline(timeoutMs, resolve);
      this.#onNone = (): void => {
        deadline.clear();
        resolve();
      };
    });
  }
}
