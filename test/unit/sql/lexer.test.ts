import { describe, expect, it } from 'vitest';
import { Kind, Lexer } from '../../../src/sql/lexer.js';

const names = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));

function tokens(sql: string): string[] {
  const lexer = new Lexer(sql);
  const found: string[] = [];
  while (lexer.next() !== Kind.end)
    found.push(`${names.get(lexer.kind) ?? ''} ${sql.slice(lexer.start, lexer.end)}`);
  return found;
}

describe('the SQL tokens', () => {
  it.each<readonly [sql: string, tokens: readonly string[]]>([
    ['a.b_1$c', ['word a', 'punctuation .', 'word b_1$c']],
    ['"a""b"U&"c"', ['quoted "a""b"', 'quoted U&"c"']],
    ['größe\u00a0表', ['word größe\u00a0表']],
    ["e'\\''n", ["literal e'\\''", 'word n']],
    ["ee'a'", ['word ee', "literal 'a'"]],
    ["B'1''0'", ["literal B'1''0'"]],
    ['$1$a$b$a$', ['parameter $1', 'literal $a$b$a$']],
    ['a$b$c$b$', ['word a$b$c$b$']],
    ['$a b$', ['operator $', 'word a', 'word b$']],
    ['$1a$', ['parameter $1', 'word a$']],
    [
      'a::b:=c',
      ['word a', 'punctuation :', 'punctuation :', 'word b', 'punctuation :', 'operator =', 'word c'],
    ],
    ['a->>b#-c', ['word a', 'operator ->>', 'word b', 'operator #-', 'word c']],
    ['a<--b\nc', ['word a', 'operator <', 'comment --b', 'word c']],
    ['*/*a*/b', ['operator *', 'comment /*a*/', 'word b']],
    ['/*/*/ */*/a', ['comment /*/*/ */*/', 'word a']],
    ['1.5.2', ['literal 1.5', 'literal .2']],
    ['a.5', ['word a', 'literal .5']],
    ['1..2', ['literal 1', 'punctuation .', 'literal .2']],
    ['\\\0{', ['operator \\', 'operator \0', 'operator {']],
  ])('of %j', (sql, expected) => expect(tokens(sql)).toEqual(expected));

  it('include comments nested a hundred thousand deep', () => {
    const depth = 100_000;
    expect(tokens(`${'/*'.repeat(depth)}${'*/'.repeat(depth)}a`)).toHaveLength(2);
    expect(tokens(`${'/*'.repeat(depth)}${'*/'.repeat(depth - 1)}a`)).toHaveLength(1);
  });
});
