import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { builtOnce } from '../../support/tools/build-cache.js';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pgauge-cache-'));
  vi.stubEnv('XDG_CACHE_HOME', home);
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(home, { recursive: true, force: true });
});

const folders = (): string[] => readdirSync(join(home, 'pgauge'));

test('the build cache builds a tool once per recipe', async () => {
  const build = vi.fn((folder: string) => writeFile(join(folder, 'tool'), 'binary'));
  const first = await builtOnce('tool', 'recipe 1', build);
  expect(await builtOnce('tool', 'recipe 1', build)).toBe(first);
  expect(build).toHaveBeenCalledTimes(1);
  expect(await builtOnce('tool', 'recipe 2', build)).not.toBe(first);
  expect(readFileSync(first, 'utf8')).toBe('binary');
});

test('the build cache removes a failed build and builds again', async () => {
  const broken = async (folder: string): Promise<void> => {
    await writeFile(join(folder, 'tool'), 'half');
    throw new Error('no space');
  };
  await expect(builtOnce('tool', 'recipe', broken)).rejects.toThrow('no space');
  expect(folders()).toEqual([]);
  const path = await builtOnce('tool', 'recipe', (folder) => writeFile(join(folder, 'tool'), 'whole'));
  expect(readFileSync(path, 'utf8')).toBe('whole');
});

test('the build cache keeps one of two concurrent builds', async () => {
  const build = (content: string) => (folder: string) => writeFile(join(folder, 'tool'), content);
  const paths = await Promise.all(['a', 'b', 'c'].map((name) => builtOnce('tool', 'recipe', build(name))));
  expect(new Set(paths).size).toBe(1);
  expect(folders()).toHaveLength(1);
});

test('the build cache refuses a build that produced no tool', async () => {
  await expect(builtOnce('tool', 'recipe', () => Promise.resolve())).rejects.toThrow('tool');
  expect(folders()).toEqual([]);
});
