import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { titlesOf } from './titles.js';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8');
/** A file below `test/` and a title in it, as the last column of every table has them. */
const CITATION = /`(?<file>[\w./-]+\.test\.ts)` › (?<title>.+?)(?=<br>| *\||$)/gm;

const cited = [...PAGE.matchAll(CITATION)].map(({ groups }) => ({
  file: groups?.['file'] ?? '',
  title: (groups?.['title'] ?? '').trim().replaceAll('\\_', '_'),
}));
/** The soak's tables are its own. */
const SOAK = /<!-- soak:begin -->[^]*<!-- soak:end -->/;
const rows = PAGE.replace(SOAK, '')
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\|[ -]+\|/.test(line));

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

  it('names a test in every row of a table with the column "Shown by"', () => {
    let shown = false;
    const without = rows.filter((row) => {
      const cells = row.split('|').map((cell) => cell.trim());
      if (cells[1] === 'When' || cells[1] === 'Rule' || cells[1] === 'Mode') {
        shown = cells.includes('Shown by');
        return false;
      }
      return shown && !row.includes('.test.ts` › ');
    });
    expect(without).toEqual([]);
  });

  it.each(['server', 'network', 'process', 'credentials', 'tls', 'configuration', 'life'])(
    'tells of every test file of %s',
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
