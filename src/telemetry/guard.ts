/** Calls `report` and discards what it throws, since a failure of telemetry must not fail the pool. */
export function quietly<T>(report: () => T): T | undefined {
  try {
    return report();
  } catch {
    return undefined;
  }
}
