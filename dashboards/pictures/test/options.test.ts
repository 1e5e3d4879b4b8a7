import { describe, expect, it } from 'vitest';
import { readOptions } from '../options.ts';

describe('the command line of the pictures', () => {
  it('accepts relative and absolute times', () => {
    const { from, to } = readOptions(['--prometheus', 'http://127.0.0.1:9090', '--from=-30m']);
    expect([from, to]).toEqual(['now-30m', 'now']);
  });

  it('accepts names and values, and values may contain =', () => {
    const args = ['--prometheus', 'http://x', '--var', 'pool=a=b', '--row', 'pgauge-pool=Saturation'];
    expect(readOptions(args)).toMatchObject({
      variables: { pool: 'a=b' },
      rows: [['pgauge-pool', 'Saturation']],
    });
  });

  it('reports missing and invalid options', () => {
    expect(() => readOptions([])).toThrow('--prometheus is missing');
    expect(() => readOptions(['--prometheus', 'x', '--theme', 'blue'])).toThrow('dark or light, not blue');
    expect(() => readOptions(['--prometheus', 'x', '--var', 'pool'])).toThrow('"pool" is not name=value');
  });
});
