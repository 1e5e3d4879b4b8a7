import { expect } from 'vitest';
import type { ConnectionEngine } from '../../src/connection/connection-kind.js';
import type { PooledConnection } from '../../src/connection/pooled-connection.js';
import type { Lane } from '../../src/connection/lane.js';
import { Lanes } from '../../src/pool/pipelining/lanes.js';
import type { Slot } from '../../src/engine/slot.js';
import type { Acquirer, makeEngine, Resource, Shares } from './fake-kind.js';

type FakeEngine = ReturnType<typeof makeEngine>['engine'];

/** Acquirers that share resources, like the queries of a pipelining pool, and a record of who shares what. */
export class Sharers implements Shares {
  readonly #engine: FakeEngine;
  readonly #depth: number;
  readonly #lanes: Lanes;
  readonly #book = new Map<Resource, Set<Acquirer>>();

  constructor(engine: FakeEngine, depth: number) {
    this.#engine = engine;
    this.#depth = depth;
    this.#lanes = new Lanes(engine as unknown as ConnectionEngine, depth);
  }

  get all(): [Resource, Acquirer][] {
    return [...this.#book].flatMap(([resource, sharers]) =>
      [...sharers].map((sharer): [Resource, Acquirer] => [resource, sharer]),
    );
  }

  of(resource: Resource): ReadonlySet<Acquirer> {
    return this.#book.get(resource) ?? new Set();
  }

  pick(): Slot<Resource> | undefined {
    const { pending, idle, total, max } = this.#engine.state;
    const lane = this.#lanes.pick(undefined);
    const mayShare = pending === 0 && idle === 0 && total >= max;
    if (lane !== undefined) expect(mayShare, 'no query shares past the queue, or without need').toBe(true);
    else if (mayShare) expect(this.#roomy(), 'who comes shares what has room').toEqual([]);
    return lane?.slot as unknown as Slot<Resource> | undefined;
  }

  served(acquirer: Acquirer, slot: Slot<Resource>): void {
    const { resource } = slot;
    const sharers = this.#book.get(resource) ?? new Set();
    if (sharers.size > 0) {
      const { total, max } = this.#engine.state;
      expect(total, 'no query shares while there is room').toBeGreaterThanOrEqual(max);
      const loads = this.#roomy(slot).map((other) => this.of(other).size);
      expect(sharers.size, 'the one with the fewest is shared').toBe(Math.min(sharers.size, ...loads));
    }
    this.#book.set(resource, sharers.add(acquirer));
    this.#lanes.entered(this.#laneOf(resource));
    this.#lanes.fill();
  }

  /** An answer has arrived; the last one releases the resource. */
  answer(resource: Resource, acquirer: Acquirer): void {
    this.#forget(resource, acquirer);
    if (this.#lanes.left(this.#laneOf(resource))) this.#engine.release(acquirer.slot, performance.now());
    this.#lanes.fill();
  }

  /** The resource was destroyed: its queries get no answers. */
  lost(resource: Resource): void {
    const lane = this.#laneOf(resource);
    this.#lanes.lost(resource as unknown as PooledConnection);
    for (const acquirer of this.of(resource)) {
      this.#forget(resource, acquirer);
      this.#lanes.left(lane);
    }
  }

  check(waiting: readonly Acquirer[], pinging: number): void {
    const loads = [...this.#book.values()].map(({ size }) => size);
    for (const load of loads) expect(load, 'never more than the depth').toBeLessThanOrEqual(this.#depth);
    const beyondOne = loads.reduce((sum, load) => sum + load - 1, 0);
    expect(this.#lanes.beyondOne, 'all beyond one are counted').toBe(beyondOne);
    for (const [resource, sharers] of this.#book) {
      expect(this.#laneOf(resource).inFlight).toBe(sharers.size);
      expect(resource.slot?.state, 'what is shared is held').toBe('held');
      expect(resource.client.pipeline).toBe(true);
    }
    const { connecting, total, max } = this.#engine.state;
    if (waiting[0]?.shares === undefined || total < max || waiting.length <= connecting + pinging) return;
    expect(this.#roomy(), 'no query at the head waits beside a resource that has room').toEqual([]);
  }

  /** The shared resources that have room for one more query. */
  #roomy(except?: Slot<Resource>): Resource[] {
    const now = performance.now();
    return [...this.#book]
      .filter(([{ slot }, { size }]) => {
        if (slot === undefined || slot === except || size >= this.#depth) return false;
        return this.#engine.sharing.fits(slot, now);
      })
      .map(([resource]) => resource);
  }

  #laneOf(resource: Resource): Lane {
    return this.#lanes.of(resource as unknown as PooledConnection);
  }

  #forget(resource: Resource, acquirer: Acquirer): void {
    const sharers = this.#book.get(resource);
    expect(sharers?.delete(acquirer), 'each is answered once').toBe(true);
    if (sharers?.size === 0) this.#book.delete(resource);
  }
}
