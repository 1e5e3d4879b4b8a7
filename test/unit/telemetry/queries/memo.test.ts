import { describe, expect, it } from 'vitest';
import { MEMO_CHARACTERS, MEMO_TEXTS, TextMemo } from '../../../../src/telemetry/queries/memo.js';

/** Keeps `count` other texts, and looks up `wanted` after each of them. */
function fill(memo: TextMemo<number>, count: number, length = 10, wanted?: string): void {
  for (let n = 0; n < count; n++) {
    memo.keep(`${n}`.padEnd(length, '-'), n);
    if (wanted !== undefined) memo.find(wanted);
  }
}

describe('TextMemo', () => {
  it('finds a text that it keeps', () => {
    const memo = new TextMemo<number>();
    expect(memo.find('select 1')).toBeUndefined();
    memo.keep('select 1', 1);
    memo.keep('select 2', 2);
    expect([memo.find('select 1'), memo.find('select 2')]).toEqual([1, 2]);
  });

  it.each([
    ['texts', 2 * MEMO_TEXTS + 1, 10],
    ['characters', 25, MEMO_CHARACTERS / 10],
  ])('forgets an unused text after it has kept enough %s', (_what, count, length) => {
    const memo = new TextMemo<number>();
    memo.keep('select 1', 1);
    fill(memo, count, length);
    expect(memo.find('select 1')).toBeUndefined();
  });

  it('never forgets a text that comes back often', () => {
    const memo = new TextMemo<number>();
    memo.keep('select 1', 1);
    fill(memo, 10 * MEMO_TEXTS, 10, 'select 1');
    expect(memo.find('select 1')).toBe(1);
  });

  it('does not keep a text that would displace many others', () => {
    const memo = new TextMemo<number>();
    const long = ' '.repeat(MEMO_CHARACTERS / 10 + 1);
    memo.keep(long, 1);
    expect(memo.find(long)).toBeUndefined();
  });
});
