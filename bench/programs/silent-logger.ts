/** Discards all records. */
export const silentLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined };
