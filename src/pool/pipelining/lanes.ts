import type { ConnectionEngine } from '../../connection/connection-kind.js';
import { Lane } from '../../connection/lane.js';
import type { PooledConnection } from '../../connection/pooled-connection.js';
import { LinkedList } from '../../engine/linked-list.js';
import { OpenTransactionError } from '../../errors.js';

/** The connections of a pool that carry pipelined queries, by the number of queries. */
export class Lanes {
  readonly #engine: ConnectionEngine;
  readonly #depth: number;
  /** At index n, the lanes with n + 1 queries in flight. */
  readonly #byLoad: readonly LinkedList<Lane>[];
  readonly #lanes = new WeakMap<PooledConnection, Lane>();
  #corked: Lane[] = [];
  #filling = false;
  #fillsSoon = false;
  /** Queries in flight beyond one for each connection. */
  beyondOne = 0;

  /** `depth` limits the queries in flight on one connection. */
  constructor(engine: ConnectionEngine, depth: number) {
    this.#engine = engine;
    this.#depth = depth;
    this.#byLoad = Array.from({ length: depth }, () => new LinkedList<Lane>());
    engine.sharing.onHead = () => this.fill();
  }

  /** The lane for a new query, the one with the fewest in flight; `undefined` if the query should not share one. */
  pick(name: string | undefined): Lane | undefined {
    const { sharing } = this.#engine;
    if (!sharing.isDue) return undefined;
    const lane = this.#least(name);
    if (lane !== undefined) sharing.joined(lane.slot);
    return lane;
  }

  /** The lane of a connection that was handed to a query, alone or shared. */
  of(connection: PooledConnection): Lane {
    let lane = this.#lanes.get(connection);
    if (lane === undefined) {
      if (connection.slot === undefined) throw new Error('a connection that is handed over has a slot');
      lane = new Lane(connection.slot, this.#leftOpen);
      this.#lanes.set(connection, lane);
    }
    return lane;
  }

  /** Call before a query is sent; all queries of one turn are sent in one write. */
  entered(lane: Lane): void {
    if (lane.inFlight > 0) {
      this.#byLoad[lane.inFlight - 1]?.remove(lane);
      this.beyondOne += 1;
    } else lane.pipelines = true;
    lane.inFlight += 1;
    this.#byLoad[lane.inFlight - 1]?.push(lane);
    if (lane.corked) return;
    lane.cork();
    if (this.#corked.push(lane) === 1) process.nextTick(this.#uncork);
  }

  /** Call when a query was answered; returns whether it was the last in flight. */
  left(lane: Lane): boolean {
    const isListed = lane.lostWith === undefined;
    if (isListed) this.#byLoad[lane.inFlight - 1]?.remove(lane);
    lane.inFlight -= 1;
    if (lane.inFlight === 0) {
      lane.pipelines = false;
      return true;
    }
    if (isListed) {
      this.beyondOne -= 1;
      this.#byLoad[lane.inFlight - 1]?.push(lane);
    }
    return false;
  }

  /** Call when a connection was destroyed: the queries in flight on it get no answer. */
  lost(connection: PooledConnection): void {
    const lane = this.#lanes.get(connection);
    if (lane === undefined || lane.lostWith !== undefined) return;
    lane.lostWith = connection.lostWith ?? new Error('the connection was closed');
    lane.lostAlone = lane.inFlight === 1;
    if (lane.inFlight === 0) return;
    this.#byLoad[lane.inFlight - 1]?.remove(lane);
    this.beyondOne -= lane.inFlight - 1;
  }

  /** Serves the head of the queue as long as it accepts a connection that others hold, and one has room. */
  fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    const { sharing, state } = this.#engine;
    while (sharing.isShort) {
      const waiter = state.oldestWaiter;
      const shares = waiter?.request.shares;
      if (waiter === undefined || shares === undefined) break;
      const lane = this.#least(shares.name);
      if (lane === undefined) break;
      sharing.serve(lane.slot, waiter);
    }
    this.#filling = false;
  }

  /** Like `fill`, once all answers that arrived together are handled: the next may show that the connection is lost. */
  fillSoon(): void {
    if (this.#fillsSoon || this.#engine.state.pending === 0) return;
    this.#fillsSoon = true;
    process.nextTick(this.#fillNow);
  }

  #least(name: string | undefined): Lane | undefined {
    let now: number | undefined;
    for (let load = 0; load < this.#depth - 1; load += 1) {
      const lanes = this.#byLoad[load];
      for (let lane = lanes?.head; lane !== undefined; lane = lane.next) {
        if (lane.takes(name) && this.#engine.sharing.fits(lane.slot, (now ??= performance.now())))
          return lane;
      }
    }
    return undefined;
  }

  readonly #fillNow = (): void => {
    this.#fillsSoon = false;
    this.fill();
  };

  readonly #uncork = (): void => {
    const corked = this.#corked;
    this.#corked = [];
    for (const lane of corked) lane.uncork();
  };

  /** An answer ended within a transaction: the queries behind it must not run in that transaction. */
  readonly #leftOpen = (lane: Lane): void => {
    const { connection } = lane;
    // A failed query was answered before this.
    lane.leftOpen = connection.client._getActiveQuery() != null;
    connection.client.connection.stream.destroy();
    connection.lose(new OpenTransactionError(), 'tx_open');
  };
}
