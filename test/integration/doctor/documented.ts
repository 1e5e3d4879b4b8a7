import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

const DOCS = new URL('../../../docs/', import.meta.url);

/** The page that users read. */
export const PAGE = readFileSync(new URL('doctor.md', DOCS), 'utf8');

/** The schema of the JSON report, in which every object is closed: an undocumented key is an error. */
const SCHEMA = JSON.parse(
  readFileSync(new URL('doctor-report.schema.json', DOCS), 'utf8'),
  (_key, value: unknown) => {
    const { type, properties } = (value ?? {}) as { type?: unknown; properties?: unknown };
    return type === 'object' && properties ? { ...(value as object), unevaluatedProperties: false } : value;
  },
) as object;

const validate = new Ajv2020({
  allowUnionTypes: true,
  strictTypes: false,
  strictRequired: false,
  formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) },
}).compile(SCHEMA);

/** The steps, and for each the steps that must not have failed before it, from the page. */
const NEEDS = new Map(
  [...PAGE.matchAll(/^\| `(\w+)` +\| ([`\w, ]*?) +\| [^|]+\|$/gm)].map(([, id = '', needs = '']) => [
    id,
    [...needs.matchAll(/\w+/g)].map(([need]) => need),
  ]),
);

interface Step {
  readonly id: string;
  readonly status: string;
  readonly code: string;
  readonly because: string | null;
}

/** Checks a report against its schema, and its steps against the order on the page. */
export function expectDocumented(report: { readonly steps: readonly Step[] }): void {
  validate(report);
  expect(validate.errors).toBeNull();
  expect(report.steps.map(({ id }) => id)).toEqual([...NEEDS.keys()]);
  const stopped = new Set<string>();
  for (const { id, status, code, because } of report.steps) {
    const blocked = NEEDS.get(id)?.some((need) => stopped.has(need));
    const skipped = code === 'earlier_step_failed';
    expect(skipped || code === 'out_of_time', `${id} after what failed`).toBe(
      blocked || code === 'out_of_time',
    );
    expect(report.steps.find((step) => step.id === because)?.status, `why ${id} was skipped`).toBe(
      skipped ? 'failed' : undefined,
    );
    if (status === 'failed' || (status === 'skipped' && code !== 'not_configured')) stopped.add(id);
  }
}
