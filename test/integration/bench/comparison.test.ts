import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Commit } from '../../../bench/commit.js';
import { comparison, contenderOf } from '../../../bench/comparison.js';
import { SCENARIOS } from '../../../bench/scenarios/index.js';

const query = SCENARIOS.filter(({ name }) => name === 'query');

describe('the bench, compared with a commit,', () => {
  it('runs each pgauge contender twice on the commit, then once on the working tree', () => {
    const contenders = comparison(query, 'abc').map((scenario) => scenario.contenders);
    expect(contenders[0]).toEqual(['pgauge @abc', 'pgauge again @abc', 'pgauge']);
    expect(contenders.flat().filter((contender) => /raw|floor/.test(contender))).toEqual([]);
  });

  it("separates the commit from the contender's name", () => {
    expect(contenderOf('pgauge metrics again @abc')).toEqual({
      contender: 'pgauge metrics again',
      commit: 'abc',
    });
    expect(contenderOf('pgauge metrics')).toEqual({ contender: 'pgauge metrics' });
  });

  it('refuses an unknown commit, and a name that looks like a git option', async () => {
    await expect(Commit.checkOut('no-such-commit')).rejects.toThrow('git knows no such commit');
    await expect(Commit.checkOut('--all')).rejects.toThrow('git knows no such commit');
  });

  it('leaves no worktree behind', async () => {
    const commit = await Commit.checkOut('HEAD');
    expect(existsSync(`${commit.path}/package.json`)).toBe(true);
    await commit[Symbol.asyncDispose]();
    expect(existsSync(commit.path)).toBe(false);
  });
});
