import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { shortenDuration, shortenQuery, shortenRules } from '../time/shorten.js';

const SHIPPED = readFileSync(join(import.meta.dirname, '../../../dashboards/rules/pgauge.rules.yml'), 'utf8');

describe('a duration', () => {
  test.each([
    ['5m', 60, '5000ms'],
    ['1h30m', 60, '90000ms'],
    ['500ms', 10, '50ms'],
    ['1d', 24, '3600000ms'],
    ['300', 30, '10000ms'],
    ['1ms', 30, '1ms'],
    ['0s', 30, '0s'],
  ])('%s is divided by %d to %s', (text, factor, shorter) => {
    expect(shortenDuration(text, factor)).toBe(shorter);
  });

  test('that is invalid is refused', () => {
    expect(() => shortenDuration('5 minutes', 2)).toThrow('not a duration: 5 minutes');
    expect(() => shortenDuration('5mm', 2)).toThrow('not a duration');
  });
});

describe('a query', () => {
  test.each([
    ['rate(a[5m])', 'rate(a[5000ms])'],
    ['a offset 1h', 'a offset 60000ms'],
    ['a offset -2m', 'a offset -2000ms'],
    ['max_over_time(a[1h:30s])', 'max_over_time(a[60000ms:500ms])'],
    ['max_over_time(rate(a[5m])[1h:] offset 1m)', 'max_over_time(rate(a[5000ms])[60000ms:] offset 1000ms)'],
  ])('has its durations shortened: %s', (query, shorter) => {
    expect(shortenQuery(query, 60)).toBe(shorter);
  });

  test.each([
    'a > 300',
    'a{le="5m", b=~"[5m]"} > 0',
    'time() - a < 5 * 60',
    'job:a:ratio_rate5m > 14.4 * 0.001',
    'a # [5m]\n',
    'quantile(0.99, a) by (rate5m)',
  ])('keeps everything that is not its own duration: %s', (query) => {
    expect(shortenQuery(query, 60)).toBe(query);
  });

  test('that is invalid is refused', () => {
    expect(() => shortenQuery('rate(a[5m', 60)).toThrow();
  });
});

describe('a rules file', () => {
  const groups = [
    {
      name: 'every 5m',
      interval: '1m',
      rules: [
        { record: 'a:rate5m', expr: 'rate(a[5m])', labels: { window: '5m' } },
        {
          alert: 'A',
          expr: 'a:rate5m > 5',
          for: '10m',
          keep_firing_for: '2m',
          labels: { for: '10m' },
          annotations: { summary: 'for 10m', expr: 'rate(a[5m])' },
        },
      ],
    },
  ];

  test('has only its durations shortened, not its names, labels or annotations', () => {
    expect(parse(shortenRules(JSON.stringify({ groups }), 60))).toEqual({
      groups: [
        {
          name: 'every 5m',
          interval: '1000ms',
          rules: [
            { record: 'a:rate5m', expr: 'rate(a[5000ms])', labels: { window: '5m' } },
            {
              alert: 'A',
              expr: 'a:rate5m > 5',
              for: '10000ms',
              keep_firing_for: '2000ms',
              labels: { for: '10m' },
              annotations: { summary: 'for 10m', expr: 'rate(a[5m])' },
            },
          ],
        },
      ],
    });
  });

  test('keeps all its rules, in the case of the shipped file', () => {
    const names = (text: string): unknown[] =>
      (parse(text) as { groups: { rules: { alert?: string; record?: string }[] }[] }).groups.flatMap(
        ({ rules }) => rules.map(({ alert, record }) => alert ?? record),
      );
    const shorter = shortenRules(SHIPPED, 30);
    expect(names(shorter)).toEqual(names(SHIPPED));
    expect(shorter).not.toMatch(/\[\d+[smh]\]|for: \d+[smh]$/m);
  });

  test('is unchanged when divided by 1', () => {
    const ms = (text: string): string => JSON.stringify(parse(shortenRules(text, 1)));
    expect(ms(shortenRules(SHIPPED, 1))).toBe(ms(SHIPPED));
  });
});
