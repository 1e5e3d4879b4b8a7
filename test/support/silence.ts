import { inspect } from 'node:util';
import { expect } from 'vitest';

const DEPTH = { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null } as const;

/** Expects that none of the secrets appear in any printed form of a value. */
export function expectSilent(what: string, shown: unknown, secrets: readonly string[]): void {
  const texts = [inspect(shown, DEPTH), JSON.stringify(shown) as string | undefined];
  const found = secrets.filter((secret) => texts.some((text) => text?.includes(secret)));
  expect(found.map((secret) => `${secret} in ${what}`)).toEqual([]);
}
