import { property } from '../../src/foreign-error.js';

/** An error and its causes, outermost first; a cause that cannot be read ends the chain. */
export function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && one !== null && chain.length < 20;) {
    chain.push(one);
    one = property(one, 'cause');
  }
  return chain;
}
