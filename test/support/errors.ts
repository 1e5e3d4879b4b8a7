import { property } from '../../src/foreign-error.js';

/** An error and the causes below it, outermost first; what cannot be read ends the chain. */
export function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && one !== null && chain.length < 20;) {
    chain.push(one);
    one = property(one, 'cause');
  }
  return chain;
}
