import type { Linked } from '../engine/linked-list.js';
import type { Slot } from '../engine/slot.js';
import type { PooledConnection } from './pooled-connection.js';

/** The part of a client that pipelines, from pg 8.23. */
interface PipeliningClient {
  /** Whether a query is sent before those ahead of it are answered; read at each query. */
  pipeline: boolean;
}

/** A connection that may carry several queries at a time, each with its own Sync. */
export class Lane implements Linked<Lane> {
  prev: Lane | undefined;
  next: Lane | undefined;
  /** The number of queries that were sent and whose answers are outstanding. */
  inFlight = 0;
  corked = false;
  /** Why no more queries are answered: the connection was lost, or a query left a transaction open. */
  lostWith: unknown;
  /** It was lost with a single query in flight. */
  lostAlone = false;
  /** The answer after which a transaction is open is being delivered. */
  leftOpen = false;
  readonly slot: Slot<PooledConnection>;

  /** `leftOpen` is called when an answer ends within a transaction. */
  constructor(slot: Slot<PooledConnection>, leftOpen: (lane: Lane) => void) {
    this.slot = slot;
    // Before the driver's own listener, which delivers the answer.
    slot.resource.client.connection.prependListener('readyForQuery', ({ status }: { status: string }) => {
      this.leftOpen = false;
      if (this.inFlight > 0 && status !== 'I' && this.lostWith === undefined) leftOpen(this);
    });
  }

  get connection(): PooledConnection {
    return this.slot.resource;
  }

  /** Whether queries are in flight on it that further queries may join. */
  set pipelines(on: boolean) {
    this.slot.resource.sharing = on;
    (this.slot.resource.client as unknown as PipeliningClient).pipeline = on;
  }

  /** Whether the session is fit for one more query, and is not preparing a statement of this name, which may fail. */
  takes(name: string | undefined): boolean {
    const { client, unfit, dismissal, lostWith } = this.slot.resource;
    if (unfit !== undefined || dismissal !== undefined || lostWith !== undefined || client._ending)
      return false;
    return name === undefined || client.connection.submittedNamedStatements?.[name] === undefined;
  }

  /** Holds back writes until `uncork`. */
  cork(): void {
    this.corked = true;
    this.slot.resource.client.connection.stream.cork();
  }

  uncork(): void {
    this.corked = false;
    this.slot.resource.client.connection.stream.uncork();
  }
}
