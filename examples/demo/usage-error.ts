/** The command line was not understood; the message says which part. */
export class UsageError extends Error {}

/** What `parse` gives; what it throws becomes a `UsageError`. */
export function understood<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
