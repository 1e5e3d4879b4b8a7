/** An invalid command line; the message names the invalid part. */
export class UsageError extends Error {}

/** Returns the result of `parse`; converts its errors to `UsageError`. */
export function understood<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
