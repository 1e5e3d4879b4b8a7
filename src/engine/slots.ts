import { LinkedList } from './linked-list.js';
import type { Slot, SlotState } from './slot.js';

/** The slots of an engine by state, each list in the order in which slots entered it; all changes are O(1). */
export class Slots<T> {
  readonly idle = new LinkedList<Slot<T>>();
  /** Used by an acquirer, longest held first. */
  readonly held = new LinkedList<Slot<T>>();
  /** Used by no acquirer: just made, being pinged, or being judged after a return. */
  readonly between = new LinkedList<Slot<T>>();

  get used(): number {
    return this.held.size + this.between.size;
  }
  get size(): number {
    return this.held.size + this.between.size + this.idle.size;
  }

  add(slot: Slot<T>): void {
    this.between.push(slot);
  }

  move(slot: Slot<T>, to: 'idle' | 'held' | 'between'): void {
    this.#list(slot.state).remove(slot);
    slot.state = to;
    this.#list(to).push(slot);
  }

  /** Forgets a slot that was in the state `from`. */
  remove(slot: Slot<T>, from: SlotState): void {
    this.#list(from).remove(slot);
  }

  #list(state: SlotState): LinkedList<Slot<T>> {
    return state === 'held' ? this.held : state === 'idle' ? this.idle : this.between;
  }
}
