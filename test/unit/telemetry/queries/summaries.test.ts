import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { summaryOf } from '../../../../src/sql/summary.js';
import { MAX_SUMMARIES, Summaries } from '../../../../src/telemetry/queries/summaries.js';

const query = (text: string, name?: string) => ({ text, name, parameterized: false });
const builtIn = () => new Summaries(undefined, () => undefined);

afterEach(() => void vi.restoreAllMocks());

describe('the built-in query summary', () => {
  it('is computed from the text', () => {
    const text = 'select * from orders join customers using (id)';
    expect(builtIn().of(query(text)).text).toBe(summaryOf(text));
  });

  it.each(['', ' ', ';', '-- a note'])('does not exist for %o', (text) => {
    expect(builtIn().of(query(text)).text).toBeUndefined();
  });

  it('is one object for all texts with that summary', () => {
    const summaries = builtIn();
    expect(summaries.of(query('select 1 from t'))).toBe(summaries.of(query('select 2 from t')));
    expect(summaries.of(query('select 1 from t'))).not.toBe(summaries.of(query('select 1 from u')));
  });
});

it('the summaries of a pool are limited: beyond the limit, a new one is _OTHER', () => {
  const summaries = builtIn();
  const known = Array.from(
    { length: MAX_SUMMARIES },
    (_, n) => summaries.of(query(`select from t${n}`)).text,
  );
  expect(new Set(known).size).toBe(500);
  expect(summaries.of(query('select from another')).text).toBe('_OTHER');
  expect(summaries.of(query('select from yet_another')).text).toBe('_OTHER');
  expect(summaries.of(query('select from t7')).text).toBe(known[7]);
  expect(summaries.of(query('')).text).toBeUndefined();
});

describe("a user's summary function", () => {
  it('receives the text, and the name of a named statement', () => {
    const seen: unknown[] = [];
    const summaries = new Summaries(
      (given) => `own ${seen.push(given)}`,
      () => undefined,
    );
    expect(summaries.of(query('select 1')).text).toBe('own 1');
    expect(summaries.of(query('select 1', 'one')).text).toBe('own 2');
    expect(seen).toStrictEqual([{ text: 'select 1' }, { text: 'select 1', name: 'one' }]);
  });

  it('is limited like the built-in summary', () => {
    let calls = 0;
    const summaries = new Summaries(
      () => `own ${calls++}`,
      () => undefined,
    );
    for (let n = 0; n < MAX_SUMMARIES; n++) summaries.of(query('select 1'));
    expect(summaries.of(query('select 1')).text).toBe('_OTHER');
  });

  it.each([undefined, null])('that returns %o selects the built-in summary', (nothing) => {
    const refused = vi.fn();
    const summaries = new Summaries(() => nothing as undefined, refused);
    expect(summaries.of(query('select 1 from t')).text).toBe(summaryOf('select 1 from t'));
    expect(refused).not.toHaveBeenCalled();
  });

  it.each<[string, () => unknown]>([
    ['returns an empty string', () => ''],
    ['returns a string that is too long', () => 'x'.repeat(256)],
    ['returns a line break', () => 'SELECT\n1'],
    ['returns a NUL', () => 'a\0'],
    ['returns a lone surrogate', () => '\ud800'],
    ['returns a number', () => 5],
    ['returns an object', () => ({ toString: () => 'SELECT' })],
    ['returns a String object', () => Object('SELECT') as unknown],
    ['returns a promise', () => Promise.resolve('SELECT')],
    ['rejects', () => Promise.reject(new Error('nobody waits for it'))],
    ['throws', () => JSON.parse('{') as unknown],
    [
      'throws a value that is not an Error',
      () => {
        throw 'a text' as unknown as Error;
      },
    ],
  ])('that %s is reported once, and the built-in summary is used', async (_what, own) => {
    const refused = vi.fn();
    const summaries = new Summaries(own as () => string, refused);
    const texts = ['select 1 from t', 'delete from u'];
    expect(texts.map((text) => summaries.of(query(text)).text)).toEqual(texts.map(summaryOf));
    expect(refused).toHaveBeenCalledTimes(1);
    // An unhandled rejection would fail the run.
    await nextTurn();
  });

  it('may return 255 characters of any script', () => {
    const summaries = new Summaries(
      () => 'ж'.repeat(255),
      () => undefined,
    );
    expect(summaries.of(query('select 1')).text).toBe('ж'.repeat(255));
  });
});
