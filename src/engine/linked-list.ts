/** A node of one `LinkedList` at a time. */
export interface Linked<N> {
  prev: N | undefined;
  next: N | undefined;
}

/** An intrusive doubly linked list: every operation is O(1), and membership costs no allocation. */
export class LinkedList<N extends Linked<N>> {
  head: N | undefined;
  tail: N | undefined;
  size = 0;

  push(node: N): void {
    node.prev = this.tail;
    node.next = undefined;
    if (this.tail === undefined) this.head = node;
    else this.tail.next = node;
    this.tail = node;
    this.size += 1;
  }

  /** Removes a node; the caller ensures that it is in this list. */
  remove(node: N): void {
    if (node.prev === undefined) this.head = node.next;
    else node.prev.next = node.next;
    if (node.next === undefined) this.tail = node.prev;
    else node.next.prev = node.prev;
    node.prev = undefined;
    node.next = undefined;
    this.size -= 1;
  }

  /** Oldest first; copy the list before changing it during the iteration. */
  *[Symbol.iterator](): Generator<N> {
    for (let node = this.head; node !== undefined; node = node.next) yield node;
  }
}
