import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allPages, proseOf, writtenPages, type Page } from '../../support/docs/code-blocks-markdown.js';

const WRITTEN = writtenPages();
const MAX_ROW = 200;

/** The table rows that are wider than a reader's window, with their places. */
const longRows = ({ path, text }: Page): string[] =>
  text
    .split('\n')
    .flatMap((line, at) => (/^ *\|/.test(line) && line.length > MAX_ROW ? [`${path}:${at + 1}`] : []));

describe('the tables in the documentation', () => {
  it('have no row above 200 characters', () => {
    expect([...WRITTEN, ...allPages()].flatMap(longRows)).toEqual([]);
  });

  it('are measured row by row', () => {
    const row = `| ${'x'.repeat(MAX_ROW)} |`;
    expect(longRows({ path: 'docs/page.md', text: `# A\n\n| a |\n${row}\n\n${'x'.repeat(300)}\n` })).toEqual([
      'docs/page.md:4',
    ]);
  });
});

/** The words in the last column of the glossary's tables, and the words to avoid listed below them. */
function refusedWords(): string[] {
  const glossary = allPages().find(({ path }) => path === 'docs/glossary.md')?.text ?? '';
  const columns = [...glossary.matchAll(/^\| .*\| ([^|]*?) *\|$/gm)].flatMap(([, words = '']) =>
    words.split(', '),
  );
  const [, list = ''] = /Do not write ([\w, ]+?)\.$/m.exec(glossary) ?? [];
  return [...columns.filter((word) => word !== '' && word !== 'not'), ...list.split(/, | or /)];
}

/** A page's own words, without code, test titles and generated text. */
const ownWords = (page: Page): string =>
  proseOf(page)
    .replace(/<!-- soak:begin -->[^]*<!-- soak:end -->/, '')
    .replaceAll(/^ *- {2}› .*$/gm, '')
    // The names of panels.
    .replaceAll(/\*\*[^*]+\*\*/g, '');

const wordsIn = (page: Page, words: readonly string[]): string[] =>
  words
    .filter((word) => new RegExp(`\\b${word}(?:s|es)?\\b`, 'i').test(ownWords(page)))
    .map((word) => `${page.path}: ${word}`);

describe('the glossary', () => {
  const refused = refusedWords();

  it('lists words to avoid', () => {
    expect(refused.length).toBeGreaterThan(20);
    expect(refused).toContain('waiter');
    expect(refused).toContain('nobody');
  });

  it('is followed by every page', () => {
    const pages = WRITTEN.filter(({ path }) => path !== 'docs/glossary.md');
    expect(pages.flatMap((page) => wordsIn(page, refused))).toEqual([]);
  });

  it('forbids a listed word in prose, but not in code', () => {
    const page = (text: string): Page => ({ path: 'docs/page.md', text });
    expect(wordsIn(page('Two waiters.'), refused)).toEqual(['docs/page.md: waiter']);
    expect(wordsIn(page('The function `waiter()`.\n\n```ts\nwaiter();\n```\n'), refused)).toEqual([]);
  });
});

describe('the map of the documentation', () => {
  it('links to every page', () => {
    const pages = new Map(allPages().map((page) => [page.path, page]));
    const found = new Set(['docs/README.md']);
    for (const path of found) {
      const page = pages.get(path);
      for (const [, target = ''] of page === undefined ? [] : proseOf(page).matchAll(/\]\(([^)#\s]+\.md)/g)) {
        // Only links from README.md files count: a page must not depend on a mention in another page.
        if (path.endsWith('README.md')) found.add(join(dirname(path), target));
      }
    }
    expect([...pages.keys()].filter((path) => path !== 'README.md' && !found.has(path))).toEqual([]);
  });
});

describe('the settings in the documentation', () => {
  const api = allPages().find(({ path }) => path === 'docs/api.md')?.text ?? '';
  const prose = WRITTEN.filter(({ path }) => path.startsWith('docs/') || path === 'README.md')
    .map(({ text }) => text)
    .join('\n');

  it.each([
    'Config',
    'PoolOptions',
    'PgSettings',
    'SslOptions',
    'QueryTelemetry',
    'Pipelining',
    'EndOptions',
  ])('of %s are all mentioned outside the reference', (type) => {
    const section = api
      .split(/^##+ /m)
      .find((text) => text.startsWith(`${type}\n`) && text.includes('\n- `'));
    const names = [...(section ?? '').matchAll(/^- `(\w+)\??`/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(prose))).toEqual([]);
  });
});
