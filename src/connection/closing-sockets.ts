import type { Socket } from 'node:net';
import { Deadline } from '../deadline.js';
import type { DriverClient } from './driver.js';

/** The sockets of a pool that `end()` waits for: those that are being closed, and those of cancel requests. */
export class ClosingSockets {
  readonly #open = new Set<Socket>();
  #patient = false;
  #onNone: (() => void) | undefined;

  /** From now on, the server closes the sessions that are ready for queries: once it has, their backends are gone. */
  leaveToServer(): void {
    this.#patient = true;
  }

  /** Counts a socket; call the returned function once the socket is closed. */
  add(socket: Socket): () => void {
    this.#open.add(socket);
    return () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#onNone?.();
    };
  }

  /** Closes the client's socket, after a Terminate message if the session can take one. */
  close(client: DriverClient, closed?: () => void): void {
    const { stream } = client.connection;
    const remove = this.add(stream);
    const onClosed = (): void => {
      closed?.();
      remove();
    };
    if (stream.closed) process.nextTick(onClosed);
    else stream.once('close', onClosed);
    const ready = client.readyForQuery === true;
    // In the middle of a login or an answer, a Terminate message would be a protocol violation.
    if (!ready) stream.destroy();
    // Marks the client as ending, so that the close is not reported as an unexpected loss.
    client.end(() => undefined);
    // A socket that was idle would not keep the process alive until the server has closed it.
    if (ready && this.#patient) client.ref();
    else stream.destroy();
  }

  /** Resolves when no socket is left; those still open after `timeoutMs` are destroyed. */
  allClosed(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = new Deadline(timeoutMs, () => {
        for (const socket of this.#open) socket.destroy();
      });
      this.#onNone = (): void => {
        deadline.clear();
        resolve();
      };
    });
  }
}
