import { describe, expect, it } from 'vitest';
import { Statement, Statements } from '../../../../src/telemetry/queries/statements.js';
import { Summaries } from '../../../../src/telemetry/queries/summaries.js';

const statement = (text: string) => new Statement({ text: 'SELECT' }, text);
const query = (text: string, parameterized: boolean, name?: string) => ({ text, name, parameterized });

describe('the query text on a span', () => {
  const literal = "select * from users where mail = 'ann@example.com' and age > 30";
  const placeholder = 'select * from users where mail = $1 and age > 30';
  it.each([
    ['parameterized', placeholder, true, placeholder],
    ['parameterized', literal, false, undefined],
    ['sanitized', placeholder, true, placeholder],
    ['sanitized', literal, false, 'select * from users where mail = ? and age > ?'],
    ['never', placeholder, true, undefined],
    ['never', literal, false, undefined],
    ['sanitized', '', false, undefined],
  ] as const)('with %s, of %o (parameterized: %o) is %o', (mode, text, parameterized, shown) => {
    expect(statement(text).shown(query(text, parameterized), mode)).toBe(shown);
  });
});

it('a statement takes a comment unless it ends in one or has no text', () => {
  expect(statement('select 1').takesComment).toBe(true);
  expect(statement('select 1 -- a note').takesComment).toBe(true);
  expect(statement("select 1 /*application='shop'*/").takesComment).toBe(false);
  expect(statement('').takesComment).toBe(false);
});

describe('Statements', () => {
  const counting = (byName: boolean) => {
    let calls = 0;
    const summaries = new Summaries(
      () => `own ${++calls}`,
      () => undefined,
    );
    return new Statements(summaries, byName);
  };
  const summariesOf = (statements: Statements, ...names: (string | undefined)[]) =>
    names.map((name) => statements.of(query('select 1', true, name)).summary.text);

  it('computes the summary once per text', () => {
    expect(summariesOf(counting(false), undefined, 'a', 'b')).toEqual(['own 1', 'own 1', 'own 1']);
  });

  it('computes the summary once per text and name if the function uses the name', () => {
    const asked = summariesOf(counting(true), undefined, 'a', 'b', undefined, 'a');
    expect(asked).toEqual(['own 1', 'own 2', 'own 3', 'own 1', 'own 2']);
  });
});
