import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { titlesOf } from './titles.js';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8');
/** A file under `test/` and a title in it, in the format of the list under each fault. */
const CITATION = /`(?<file>[\w./-]+\.test\.ts)` › (?<title>.+)$/gm;

const cited = [...PAGE.matchAll(CITATION)].map(({ groups }) => ({
  file: groups?.['file'] ?? '',
  title: (groups?.['title'] ?? '').trim().replaceAll('\\_', '_'),
}));
/** The soak test generates its own tables. */
const SOAK = /<!-- soak:begin -->[^]*<!-- soak:end -->/;
const FAULTS = PAGE.slice(0, PAGE.indexOf('\n## Soak')).split(/^### /m).slice(1);

describe('the page on reliability', () => {
  it('cites tests', () => {
    expect(cited.length).toBeGreaterThan(100);
  });

  it('cites only tests that exist', () => {
    const titles = new Map(
      [...new Set(cited.map(({ file }) => file))].map((file) => {
        const path = join(ROOT, 'test', file);
        return [file, existsSync(path) ? titlesOf(path) : undefined];
      }),
    );
    expect(cited.filter(({ file, title }) => titles.get(file)?.has(title) !== true)).toEqual([]);
  });

  it('names a test under the heading of every fault', () => {
    expect(FAULTS.length).toBeGreaterThan(60);
    const without = FAULTS.filter((fault) => !fault.includes('.test.ts` › '));
    expect(without.map((fault) => fault.split('\n')[0])).toEqual([]);
  });

  it.each(['server', 'network', 'process', 'credentials', 'tls', 'configuration', 'life'])(
    'cites every test file of %s',
    (area) => {
      const files = readdirSync(join(ROOT, 'test/faults', area)).filter((name) => name.endsWith('.test.ts'));
      const told = new Set(cited.map(({ file }) => file));
      expect(files.map((name) => `faults/${area}/${name}`).filter((file) => !told.has(file))).toEqual([]);
    },
  );

  it('has a place for the figures of the soak', () => {
    expect(PAGE).toMatch(SOAK);
  });
});
