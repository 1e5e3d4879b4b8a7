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

test('the result table is written in groups, with items that could not be tried at the end', () => {
  const table = new Table();
  table.group('one');
  table.row('a | b', '__x__ <y> * z', 'line\nbreak', true);
  table.group('two');
  table.equal('sum', 2, undefined);
  table.cannotRun('engine', 'there is none');
  expect(table.markdown()).toBe(`## one

| what | expected | seen | |
| --- | --- | --- | --- |
| a \\| b | \\_\\_x\\_\\_ \\<y> \\* z | line break | ok |

## two

| what | expected | seen | |
| --- | --- | --- | --- |
| sum | 2 | undefined | FAILED |

## Not run

| what | why |
| --- | --- |
| engine | there is none |
`);
});
