import { describe, expect, it } from 'vitest';
import type { StepResult } from '../../../src/doctor/report.js';
import { painter, stepLines, summaryLine, wrap } from '../../../src/doctor/table.js';

const PLAIN = painter(false, {});

const FAILED: StepResult = {
  id: 'tls',
  status: 'failed',
  code: 'tls_rejected',
  found: `it is refused because of ${'x'.repeat(120)} and nothing else`,
  remedy: `look at https://example.com/${'y'.repeat(90)} and try again`,
  durationMs: 12.3,
};

describe('a step of the table', () => {
  it('is never wider than 80 columns and keeps every character', () => {
    const lines = stepLines(FAILED, PLAIN);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const text = lines.join('').replace(/\s|->/g, '');
    expect(text).toContain('x'.repeat(120));
    expect(text).toContain('y'.repeat(90));
  });

  it('starts with its tick, title and time', () => {
    expect(stepLines(FAILED, PLAIN)[0]).toMatch(/^✗ TLS {14,}12 ms {2}it is refused/);
  });

  it('has no time when it was skipped', () => {
    const step = { id: 'dns', status: 'skipped', code: 'out_of_time', found: 'over', durationMs: 1 } as const;
    expect(stepLines(step, PLAIN)).toEqual([`- DNS${' '.repeat(22)}over`]);
  });
});

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('on a terminal %s with %j: %s', (isTerminal, env, coloured) => {
    expect(stepLines(FAILED, painter(isTerminal, env)).join('').includes('\x1b[')).toBe(coloured);
  });
});

describe('the summary', () => {
  it('counts each outcome', () => {
    const steps = [FAILED, { ...FAILED, status: 'ok', code: 'ok' } as const];
    expect(summaryLine(steps, 1_234, PLAIN)).toBe('It does not work: 1 failed, 1 ok, in 1.2 s.');
  });
});

describe('wrapping', () => {
  it('breaks at spaces and cuts what is wider than a line', () => {
    expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc']);
    expect(wrap('abcdefgh i', 3)).toEqual(['abc', 'def', 'gh', 'i']);
    expect(wrap('', 5)).toEqual([]);
  });
});
