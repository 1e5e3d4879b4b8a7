import { describe, expect, it } from 'vitest';
import type { StepResult } from '../../../src/doctor/report.js';
import { stepLines, styleOf, summaryLines, waitingText, wrap } from '../../../src/doctor/table.js';

const PIPE = styleOf({}, {});
const TERMINAL = styleOf({ isTTY: true, columns: 132 }, {});

const FAILED: StepResult = {
  id: 'tls',
  status: 'failed',
  code: 'tls_rejected',
  found: `it is refused because of ${'x'.repeat(120)} and nothing else`,
  remedy: `look at https://example.com/${'y'.repeat(90)} and try again`,
  durationMs: 12.3,
};

describe("a step in the doctor's table", () => {
  it('is never wider than 80 columns and keeps every character', () => {
    const lines = stepLines(FAILED, PIPE);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const text = lines.join('').replace(/\s|->/g, '');
    expect(text).toContain('x'.repeat(120));
    expect(text).toContain('y'.repeat(90));
  });

  it('starts with its tick, title and time', () => {
    expect(stepLines(FAILED, PIPE)[0]).toMatch(/^✗ TLS {14,}12 ms {2}it is refused/);
  });

  it('has no duration when it was skipped', () => {
    const step = { id: 'dns', status: 'skipped', code: 'out_of_time', found: 'over', durationMs: 1 } as const;
    expect(stepLines(step, PIPE)).toEqual([`- DNS${' '.repeat(22)}over`]);
  });
});

describe('a narrow terminal', () => {
  it.each([79, 72, 71, 50, 40])('of %i columns has no wider line, and no character is lost', (columns) => {
    const lines = stepLines(FAILED, styleOf({ columns }, {}));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines.join('').replace(/\s|->/g, '')).toContain('x'.repeat(120));
    const steps = Array<StepResult>(12).fill(FAILED);
    for (const line of summaryLines(steps, 1_234, styleOf({ columns }, {}))) {
      expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  it('has the text on the line below the title', () => {
    expect(stepLines(FAILED, styleOf({ columns: 60 }, {})).slice(0, 2)).toEqual([
      '✗ TLS               12 ms',
      '    it is refused because of',
    ]);
  });

  it('counts as at least 40 columns, and as 80 if the width is unknown', () => {
    expect(styleOf({ columns: 10 }, {}).width).toBe(40);
    expect(styleOf({ columns: 0 }, {}).width).toBe(80);
    expect(styleOf({}, {}).width).toBe(80);
  });
});

describe("colours in the doctor's table", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('and cursor control, on a terminal %s with %j: %s', (isTTY, env, coloured) => {
    const style = styleOf({ isTTY }, env);
    expect(stepLines(FAILED, style).join('').includes('\x1b[')).toBe(coloured);
    expect(waitingText('tls', style)).toBe(coloured ? '  TLS ...\r' : '');
  });

  it('are the only difference between a terminal and a pipe', () => {
    // eslint-disable-next-line no-control-regex -- the character that starts a terminal command
    const bare = stepLines(FAILED, TERMINAL).map((line) => line.replace(/\x1b\[\d*[mK]/g, ''));
    expect(bare).toEqual(stepLines(FAILED, PIPE));
  });
});

describe("ticks in the doctor's table", () => {
  it.each([
    [{}, '✗'],
    [{ LANG: 'en_GB.UTF-8' }, '✗'],
    [{ LANG: 'de_DE.utf8' }, '✗'],
    [{ LANG: 'C' }, 'x'],
    [{ LANG: 'en_GB.UTF-8', LC_ALL: 'POSIX' }, 'x'],
    [{ TERM: 'linux' }, 'x'],
  ])('with %j: %s', (env, tick) => {
    const [line = ''] = stepLines({ ...FAILED, found: 'key AKIA…1234' }, styleOf({}, env));
    expect(line[0]).toBe(tick);
    // eslint-disable-next-line no-control-regex -- the range of ASCII
    expect(/^[\x00-\x7f]*$/.test(line)).toBe(tick === 'x');
  });
});

describe("the doctor's summary", () => {
  const ok = { ...FAILED, status: 'ok', code: 'ok' } as const;

  it('counts each outcome', () => {
    expect(summaryLines([FAILED, ok], 1_234, PIPE)).toEqual(['It does not work: 1 failed, 1 ok, in 1.2 s.']);
  });

  it('does not report skipped checks as successful', () => {
    const left = { ...FAILED, status: 'skipped', code: 'out_of_time' } as const;
    expect(summaryLines([ok, left], 30_000, PIPE)).toEqual(['Time was over: 1 ok, 1 skipped, in 30.0 s.']);
  });
});

describe("wrapping in the doctor's table", () => {
  it('breaks at spaces, and splits words wider than a line', () => {
    expect(wrap('aa bb cc', 5)).toEqual(['aa bb', 'cc']);
    expect(wrap('abcdefgh i', 3)).toEqual(['abc', 'def', 'gh', 'i']);
    expect(wrap('', 5)).toEqual([]);
  });
});
