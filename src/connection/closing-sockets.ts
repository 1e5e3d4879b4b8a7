import type { DriverClient } from './driver.js';

/** The sockets of a pool that are destroyed and not yet closed. */
export class ClosingSockets {
  #open = 0;
  #onNone: (() => void) | undefined;

  /** Destroys the client's socket now: says goodbye if the socket takes it, waits for nothing. */
  destroy(client: DriverClient, closed?: () => void): void {
    const { stream } = client.connection;
    this.#open += 1;
    const onClosed = (): void => {
      this.#open -= 1;
      closed?.();
      if (this.#open === 0) this.#onNone?.();
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
      const timer = setTimeout(resolve, timeoutMs);
      timer.unref();
      this.#onNone = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
