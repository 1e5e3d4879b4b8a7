/** An error and the causes below it, outermost first. */
export function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && one !== null && chain.length < 20;) {
    chain.push(one);
    one = (one as { cause?: unknown }).cause;
  }
  return chain;
}
