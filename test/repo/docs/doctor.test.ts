import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { USAGE } from '../../../src/doctor/arguments.js';
import { CODES, STEP_TITLES } from '../../../src/doctor/report.js';

const PAGE = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');
const SCHEMA = JSON.parse(
  readFileSync(new URL('../../../docs/doctor-report.schema.json', import.meta.url), 'utf8'),
) as {
  $defs: {
    steps: { prefixItems: { properties: { id: { const: string } } }[] };
    step: { oneOf: { properties: { status: { const: string }; code: { enum: string[] } } }[] };
  };
};

/** The source text of the doctor's tests. */
const TESTS = ['../../integration/doctor/', '../../unit/doctor/']
  .map((folder) => new URL(folder, import.meta.url))
  .flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)))
  .filter(({ pathname }) => pathname.endsWith('.test.ts') && pathname !== new URL(import.meta.url).pathname)
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

describe("the schema of the doctor's report", () => {
  it('has every step in order', () => {
    const ids = SCHEMA.$defs.steps.prefixItems.map(({ properties }) => properties.id.const);
    expect(ids).toEqual(Object.keys(STEP_TITLES));
  });

  it('has every code under its status', () => {
    const codes = SCHEMA.$defs.step.oneOf.map(({ properties: { status, code } }) => [
      status.const,
      code.enum,
    ]);
    expect(Object.fromEntries(codes)).toEqual(CODES);
  });
});

it.each(Object.values(CODES).flat())('the code %s is expected by a test', (code) => {
  expect(TESTS).toContain(`'${code}'`);
});

describe('docs/doctor.md', () => {
  it('lists every step', () => {
    for (const id of Object.keys(STEP_TITLES)) expect(PAGE).toContain(`| \`${id}\``);
  });

  it.each(Object.entries(CODES))('lists every code of the status %s, and no other', (status, codes) => {
    const [, list = ''] = new RegExp(`^- \`${status}\`: ((?:.+\\n(?!- ))*.+)`, 'm').exec(PAGE) ?? [];
    const listed = [...list.matchAll(/`(\w+)`/g)].map(([, code]) => code);
    expect(listed.sort()).toEqual([...codes].sort());
  });

  it('names every option', () => {
    const options = [...USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => `--${name ?? ''}`);
    expect(options.length).toBeGreaterThan(8);
    for (const option of options) expect(PAGE).toContain(option);
  });
});
