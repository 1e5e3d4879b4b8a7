import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { USAGE } from '../../../src/doctor/arguments.js';
import { CODES, STEP_TITLES } from '../../../src/doctor/report.js';

const PAGE = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');

describe('docs/doctor.md', () => {
  it('lists every step', () => {
    for (const id of Object.keys(STEP_TITLES)) expect(PAGE).toContain(`| \`${id}\``);
  });

  it.each(Object.entries(CODES))('lists every code of the status %s, and no other', (status, codes) => {
    const row = PAGE.split('\n').find((line) => line.startsWith(`| \`${status}\` `));
    const listed = [...(row ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code).slice(1);
    expect(listed.sort()).toEqual([...codes].sort());
  });

  it('names every option', () => {
    const options = [...USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => `--${name ?? ''}`);
    expect(options.length).toBeGreaterThan(8);
    for (const option of options) expect(PAGE).toContain(option);
  });
});
