import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VERSION } from '../../src/process-state.js';

const SHARED = ['pgauge.state.1', `pgauge.state.1@${VERSION}`].map((key) => Symbol.for(key));

/** The module as another copy of the package loads it. */
async function anotherCopy(): Promise<typeof import('../../src/process-state.js')> {
  vi.resetModules();
  return await import('../../src/process-state.js');
}

afterEach(() => vi.resetModules());

describe('process-wide state', () => {
  it('is shared by all copies of the package', async () => {
    const [one, two] = [await anotherCopy(), await anotherCopy()];
    expect(one.sharedByAll).not.toBe(two.sharedByAll);
    const set = one.sharedByAll('test set', () => new Set(['first']));
    expect(two.sharedByAll('test set', () => new Set(['second']))).toBe(set);
    const map = one.sharedByVersion('test map', () => new Map());
    expect(two.sharedByVersion('test map', () => new Map())).toBe(map);
  });

  it('is separate for state shared only by copies of one version', async () => {
    const copy = await anotherCopy();
    const ofAll = copy.sharedByAll('test name', () => ({}));
    expect(copy.sharedByVersion('test name', () => ({}))).not.toBe(ofAll);
  });

  it('is not listed among the properties of globalThis', async () => {
    (await anotherCopy()).sharedByAll('test list', () => new Set());
    const enumerable = Object.getOwnPropertySymbols({ ...globalThis });
    expect(enumerable.filter((key) => SHARED.includes(key))).toEqual([]);
  });

  it('has the version of the package', async () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect((await anotherCopy()).VERSION).toBe((JSON.parse(manifest) as { version: string }).version);
  });
});
