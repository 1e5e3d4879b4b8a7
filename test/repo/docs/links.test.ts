import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allPages, proseOf, ROOT, writtenPages, type Page } from '../../support/docs/code-blocks-markdown.js';

const LINK = /\]\((?<inline>[^()\s]+)\)|^\[[^\]]+\]: (?<reference>\S+)$|\b(?:href|src)="(?<html>[^"]+)"/gm;
const EXTERNAL = /^[a-z][a-z+.-]*:/i;

const linksOf = (page: Page): string[] =>
  [...proseOf(page).matchAll(LINK)]
    .map(({ groups = {} }) => groups['inline'] ?? groups['reference'] ?? groups['html'] ?? '')
    .filter((target) => !EXTERNAL.test(target));

/** The anchors of a page's headings, as GitHub generates them. */
function anchorsOf(page: Page): Set<string> {
  // Keep code within headings; drop code blocks, in which `#` starts a comment.
  const text = page.text.replaceAll(/^ *```[^]*?^ *```$/gm, '');
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#{1,6} +(.+?)(?: #+)?$/gm)) {
    const shown = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = shown
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The fault of a link on a page, undefined if there is none. */
function fault(page: Page, link: string): string | undefined {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? join(ROOT, page.path) : join(ROOT, dirname(page.path), decodeURI(file));
  if (relative(ROOT, path).startsWith('..')) return `${page.path}: ${link} leads out of the project`;
  if (file !== '' && !existsSync(path)) return `${page.path}: ${link} leads to no file`;
  if (anchor === undefined) return undefined;
  const text = file === '' ? page.text : readFileSync(path, 'utf8');
  const known = anchorsOf({ path, text });
  return known.has(anchor) ? undefined : `${page.path}: ${link} leads to no heading`;
}

const faultsOf = (page: Page): string[] => linksOf(page).flatMap((link) => fault(page, link) ?? []);

describe('the links of the documentation', () => {
  const pages = [...new Map([...allPages(), ...writtenPages()].map((page) => [page.path, page])).values()];

  it('are found', () => {
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(80);
  });

  it('lead to files and headings that exist', () => {
    expect(pages.flatMap(faultsOf)).toEqual([]);
  });
});

describe('the check of the links', () => {
  const of = (text: string): string[] => faultsOf({ path: 'docs/page.md', text });

  it('accepts valid links', () => {
    expect(
      of('# A `b.c` (d)\n\n[a](#a-bc-d) [b](../README.md#install) [c](runbooks/) ![d](https://e.org/f.png)'),
    ).toEqual([]);
  });

  it('finds a link to a missing file', () => {
    expect(of('[a](missing.md)')).toEqual(['docs/page.md: missing.md leads to no file']);
  });

  it('finds a link to a missing heading, also on the same page', () => {
    expect(of('# A\n\n[a](#b) [c](../README.md#no-such)')).toHaveLength(2);
  });

  it('does not mistake a comment in a code block for a heading', () => {
    expect(of('```sh\n# a\n```\n\n[a](#a)')).toHaveLength(1);
  });
});
