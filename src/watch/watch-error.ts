/** What keeps an endpoint from being watched, in one line for people. */
export class WatchError extends Error {}
