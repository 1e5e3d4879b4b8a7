/** An endpoint cannot be watched; the message is one readable line. */
export class WatchError extends Error {}
