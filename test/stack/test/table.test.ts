import { expect, test } from 'vitest';
import { Table } from '../table.js';

test('the result table is good when it has rows and every row is good', () => {
  const table = new Table();
  expect(table.ok).toBe(false);
  expect(table.equal('two', { a: [2] }, { a: [2] })).toBe(true);
  expect(table.ok).toBe(true);
  expect(table.equal('three', 3, 2)).toBe(false);
  expect(table.ok).toBe(false);
});

test('the result table has a row for an error', async () => {
  const table = new Table();
  await table.works('tool', () => Promise.reject(new Error('it is missing')));
  expect(table.rows).toEqual([
    { group: '', what: 'tool', expected: 'no error', seen: 'it is missing', ok: false },
  ]);
});

test('the result table is not good with nothing but an item that could not be tried', () => {
  const table = new Table();
  table.cannotRun('engine', 'there is none');
  expect(table.ok).toBe(false);
});

test('the summary of the results counts the checks of each group, and lists those that failed or did not run', () => {
  const table = new Table();
  table.group('one', 'it works');
  table.equal('one', 1, 1);
  table.group('two');
  table.equal('a sum', 2, undefined);
  table.equal('a | b', 3, 3);
  table.cannotRun('engine', 'there is none');
  expect(table.summary()).toBe(`| part | shows | checks | failed |
| --- | --- | --- | --- |
| one | it works | 1 | 0 |
| two |  | 2 | 1 |

## Failed

- two, a sum: expected 2, saw undefined

## Not run

- engine: there is none
`);
});

test('the summary of the results shows texts literally', () => {
  const table = new Table();
  table.row('a | b', '__x__ <y> * z', 'line\nbreak', false);
  expect(table.summary()).toContain('a \\| b: expected \\_\\_x\\_\\_ \\<y> \\* z, saw line break');
});
