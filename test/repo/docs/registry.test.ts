import { readdirSync, readFileSync } from 'node:fs';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { REGISTRY_FOLDER, registryFiles } from '../../../scripts/registry/files.js';
import { ATTR, METRIC, SPAN } from '../../../src/telemetry/names.js';

interface Group {
  readonly id: string;
  readonly type: 'attribute_group' | 'metric' | 'span';
  readonly metric_name?: string;
  readonly attributes: readonly { readonly id?: string; readonly ref?: string }[];
}

const groups = readdirSync(REGISTRY_FOLDER)
  .filter((name) => name !== 'manifest.yaml')
  .flatMap((name) => {
    const { groups } = parse(readFileSync(new URL(name, REGISTRY_FOLDER), 'utf8')) as { groups: Group[] };
    return groups;
  });
const of = (type: Group['type']) => groups.filter((group) => group.type === type);

describe('docs/registry', () => {
  it('matches the output of `npm run docs:registry`', async () => {
    const files = await registryFiles();
    expect(readdirSync(REGISTRY_FOLDER).sort()).toEqual(Object.keys(files).sort());
    for (const [name, text] of Object.entries(files))
      expect(readFileSync(new URL(name, REGISTRY_FOLDER), 'utf8')).toBe(text);
  });

  it('has every metric, span and attribute', () => {
    const named = (names: object) => Object.values(names) as unknown[];
    expect(of('metric').map((group) => group.metric_name)).toEqual(
      named(METRIC).map((metric) => (metric as { name: string }).name),
    );
    expect(of('span')).toHaveLength(named(SPAN).length);
    const used = groups.flatMap(({ attributes }) => attributes.map(({ id, ref }) => id ?? ref));
    expect([...new Set(used)].sort()).toEqual(named(ATTR).sort());
  });

  it('has no duplicate id', () => {
    const ids = groups.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('defines every attribute that it refers to, unless the semantic conventions do', () => {
    const theirs: readonly unknown[] = Object.values(conventions);
    const ours = of('attribute_group').flatMap(({ attributes }) => attributes.map(({ id }) => id));
    for (const { ref } of groups.flatMap(({ attributes }) => attributes)) {
      if (ref !== undefined) expect(theirs.includes(ref)).toBe(!ours.includes(ref));
    }
    for (const id of ours) expect(theirs).not.toContain(id);
  });
});
