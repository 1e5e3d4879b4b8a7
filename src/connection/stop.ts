import { Deadline } from '../deadline.js';
import { cancelRequest, type Cancellable } from './cancel.js';
import type { DriverClient } from './driver.js';

/** How long stopping a query may take, in milliseconds: less than a returned connection has to settle. */
const STOP_TIMEOUT_MS = 900;

const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);

/**
 * Stops the query that a client is running, and holds back those queued behind it until no cancel can hit them.
 * `done` is called once: with `true` when, within 900 ms, the server has answered the stopped query, the cancel request has
 * ended, and a Sync sent after both has come back; otherwise with `false`, and the connection must be closed. Returns the
 * function that forgets the query, for a connection that is closed meanwhile: `done` is not called then.
 */
export function stopRunning(connection: Cancellable, done: (usable: boolean) => void): () => void {
  let ended = false;
  const forget = (): void => {
    ended = true;
    deadline.clear();
    fence.remove();
  };
  const end = (usable: boolean): void => {
    if (ended) return;
    forget();
    done(usable);
  };
  const fence = new Fence(connection.client, () => end(true));
  const deadline = new Deadline(STOP_TIMEOUT_MS, () => end(false));
  cancelRequest(connection, (surely) => {
    if (!surely) end(false);
    else if (!ended) fence.open();
  });
  return forget;
}

/** Stands in the queue between the stopped query and the next; the driver submits it once the stopped query is answered. */
class Fence {
  readonly #client: DriverClient;
  readonly #passed: () => void;
  #open = false;
  #state: 'before' | 'submitted' | 'synced' = 'before';

  /** `passed` is called before the next query is sent. */
  constructor(client: DriverClient, passed: () => void) {
    this.#client = client;
    this.#passed = passed;
    // Before the driver's own listener, which sends the next query.
    client.connection.prependListener('readyForQuery', this.#onReady);
  }

  /** Called when the cancel request has ended. */
  open(): void {
    this.#open = true;
    this.#sync();
  }

  /** Ignores all later events. */
  remove(): void {
    this.#client.connection.removeListener('readyForQuery', this.#onReady);
  }

  /** Called by the driver. */
  submit(): void {
    this.#state = 'submitted';
    this.#sync();
  }

  // The answer is observed as an event: if a late cancel hits the Sync, the driver drops this before ReadyForQuery.
  handleError(): void {
    return undefined;
  }

  handleReadyForQuery(): void {
    return undefined;
  }

  #sync(): void {
    if (!this.#open || this.#state !== 'submitted') return;
    this.#state = 'synced';
    this.#client.connection.stream.write(SYNC);
  }

  readonly #onReady = (): void => {
    // Not queued earlier, because the driver warns when a query is added behind another.
    if (this.#state === 'before') this.#client._queryQueue.unshift(this);
    else if (this.#state === 'synced') this.#passed();
  };
}
