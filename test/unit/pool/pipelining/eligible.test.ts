import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { isEligible } from '../../../../src/pool/pipelining/eligible.js';

const FIRST = ['select', 'INSERT', 'update', 'Delete', 'merge', 'VALUES', 'table', 'with'];
const OTHER = ['begin', 'COPY', 'set', 'call', 'listen', 'lock', 'explain', 'do', 'selects', 'prepare', ''];
const before = fc.array(fc.constantFrom(' ', '\n', '-- begin\n', '/* copy /* x */ */', '\t'), {
  maxLength: 4,
});
const rest = fc.string({ maxLength: 20 });

describe('whether a query may share a connection', () => {
  it('it may if its first keyword reads or writes rows, whatever precedes and follows it', () => {
    fc.assert(
      fc.property(before, fc.constantFrom(...FIRST), rest, (spaces, word, more) => {
        const text = `${spaces.join('')}${word} ${more}`;
        expect(isEligible(text, [1], false)).toBe(true);
        expect(isEligible({ text, name: 'a' }, undefined, false)).toBe(true);
        expect(isEligible({ text, queryMode: 'extended' }, undefined, false)).toBe(true);
      }),
    );
  });

  it('it may not with any other first keyword', () => {
    fc.assert(
      fc.property(before, fc.constantFrom(...OTHER), rest, fc.boolean(), (spaces, word, more, texts) => {
        const text = `${spaces.join('')}${word}; ${more}`;
        expect(isEligible(text, [1], texts)).toBe(false);
        expect(isEligible(text, undefined, texts)).toBe(false);
      }),
    );
  });

  it('the check never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.boolean(), (query, values, texts) => {
        expect(typeof isEligible(query, values, texts)).toBe('boolean');
      }),
    );
  });

  it.each([
    ['select 1', true],
    ['select 1;', true],
    ['select 1; -- the end', true],
    ["select ';select 2'", true],
    ['select 1; select 2', false],
    ['select 1;;select 2', false],
    ['begin', false],
  ])('a text without values may only with the option texts: %s, %s', (text, eligible) => {
    expect(isEligible(text, undefined, false)).toBe(false);
    expect(isEligible(text, undefined, true)).toBe(eligible);
    expect(isEligible({ text }, undefined, true)).toBe(eligible);
  });

  it.each([
    ['signal', AbortSignal.abort()],
    ['timeoutMs', 1],
    ['query_timeout', 1],
    ['rows', 10],
    ['portal', 'p'],
  ])('it may not with %s', (name, value) => {
    expect(isEligible({ text: 'select $1', values: [1], [name]: value }, undefined, true)).toBe(false);
    expect(isEligible({ text: 'select $1', values: [1], [name]: null }, undefined, true)).toBe(true);
  });

  it('it may not as a query object, or with input that the driver refuses', () => {
    expect(isEligible(new pg.Query({ text: 'select $1', values: [1] }), undefined, true)).toBe(false);
    expect(isEligible('select 1', 'x', true)).toBe(false);
    expect(isEligible({ text: 'select 1', name: 5 }, undefined, false)).toBe(false);
  });
});
