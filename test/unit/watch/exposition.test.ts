import fc from 'fast-check';
import { expect, it } from 'vitest';
import { samplesOf } from '../../../src/watch/exposition.js';
import { WatchError } from '../../../src/watch/watch-error.js';

const all = (text: string) => [...samplesOf(text, () => true)];

it('the parser reads the text format 0.0.4 with timestamps, comments and blank lines', () => {
  const text = '# HELP a b\n# TYPE a gauge\n\na 1\nb{x="1",} 2.5 1700000000000\n  c { x = "2" } -3e-2\n# end';
  expect(all(text).map(({ name, labels, value }) => [name, Object.fromEntries(labels), value])).toEqual([
    ['a', {}, 1],
    ['b', { x: '1' }, 2.5],
    ['c', { x: '2' }, -0.03],
  ]);
});

it('the parser omits timestamps and exemplars of OpenMetrics', () => {
  const text = '# TYPE a counter\n# UNIT a seconds\na_total{x="y"} 3 123.5 # {trace_id="ab"} 1 1.5\n# EOF\n';
  expect(all(text)).toEqual([{ name: 'a_total', labels: new Map([['x', 'y']]), value: 3 }]);
});

it('the parser reads quoted names as if they had underscores', () => {
  expect(all('{"a.b","c.d"="e"} 1\n')).toEqual([{ name: 'a_b', labels: new Map([['c_d', 'e']]), value: 1 }]);
});

it.each([
  ['+Inf', Infinity],
  ['-Inf', -Infinity],
  ['NaN', NaN],
  ['1e3', 1000],
])('the parser reads the value %s', (text, value) => {
  expect(all(`a ${text}`)[0]?.value).toBe(value);
});

it.each([
  '<!doctype html>',
  '{"json": true}',
  'a',
  'a one',
  'a{x="1" 2',
  'a{x=1} 2',
  'a{x="1"y="2"} 3',
  `a{x="${'y'.repeat(100_000)}"} 1`,
])('the parser refuses %.40s and names the line', (line) => {
  expect(() => all(`# first\n${line}\n`)).toThrow(WatchError);
  expect(() => all(`# first\n${line}\n`)).toThrow('(line 2)');
});

it('the parser keeps any label value, even a hostile one', () => {
  const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,20}$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(label, fc.constant('__proto__')), fc.string({ unit: 'binary' }))),
      fc.double(),
      (pairs, value) => {
        const escaped = (text: string): string =>
          text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
        const line = `a{${pairs.map(([name, text]) => `${name}="${escaped(text)}"`).join(',')}} ${value}`;
        const [sample] = all(line);
        expect(sample?.labels).toEqual(new Map(pairs));
        expect(sample?.value).toEqual(value === 0 ? 0 : value);
      },
    ),
  );
});

it('the parser either reads a random text or throws a WatchError', () => {
  const piece = fc.oneof(
    fc.constantFrom('a', '{', '}', '"', '=', ',', ' ', '\\', '\n', '#', '1', 'x="y"'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      try {
        all(pieces.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(WatchError);
      }
    }),
    { numRuns: 2_000 },
  );
});
