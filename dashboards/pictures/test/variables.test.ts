import type { VariableModel } from '@grafana/schema';
import { describe, expect, it } from 'vitest';
import { interpolate, labelOf, valueOf } from '../page/data/variables.ts';

const pool = (current: unknown): VariableModel =>
  ({ name: 'pool', type: 'query', includeAll: true, allValue: '.+', current }) as VariableModel;

describe('dashboard variables in a picture', () => {
  it('match everything when nothing is selected', () => {
    expect(valueOf(pool({ text: 'All', value: '$__all' }), undefined)).toBe('.+');
    expect(valueOf(pool({ text: ['All'], value: ['$__all'] }), undefined)).toBe('.+');
    expect(valueOf(pool({}), undefined)).toBe('.+');
    expect(labelOf(pool({}), undefined)).toBe('All');
  });

  it('match the selected value, or any of several by a regular expression', () => {
    expect(valueOf(pool({ value: 'orders' }), undefined)).toBe('orders');
    expect(valueOf(pool({ value: ['a.b', 'c'] }), undefined)).toBe('(a\\\\.b|c)');
    expect(valueOf(pool({ value: 'orders' }), 'asked')).toBe('asked');
  });

  it('without a value are an error, not an empty matcher', () => {
    const variable = { name: 'pool', type: 'query' } as VariableModel;
    expect(() => valueOf(variable, undefined)).toThrow('--var pool=');
  });

  it('are replaced in every notation by their whole name, and unknown ones are left alone', () => {
    const values = { pool: 'p', __rate_interval: '1m', __rate_interval_ms: '60000' };
    expect(interpolate('rate(x{a="$pool"}[$__rate_interval])', values)).toBe('rate(x{a="p"}[1m])');
    expect(interpolate('${pool} ${pool:regex} [[pool]] $__rate_interval_ms', values)).toBe('p p p 60000');
    expect(interpolate('$pools ${__value.raw} $1', values)).toBe('$pools ${__value.raw} $1');
  });
});
