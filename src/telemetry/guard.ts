/** Runs `report` and swallows what it throws. */
export function quietly<T>(report: () => T): T | undefined {
  try {
    return report();
  } catch {
    // Telemetry that fails must never fail the caller, and there is nobody left to tell.
    return undefined;
  }
}
