import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

/** A page of the documentation. */
export interface Page {
  /** Its path below the root of the project. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** The line of the page at which its code begins, from 1. */
  readonly line: number;
  /** It goes on from the block of the same language before it, as the comment above it says. */
  readonly continues: boolean;
}

const FENCE =
  /^(?<marker> *<!-- continues -->\n+)?(?<indent> *)```(?<language>[^\n`]*)\n(?<code>[^]*?)^ *```$/gm;

/** README.md and all pages below docs/. */
export function allPages(): Page[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return ['README.md', ...below.sort()].map((path) => ({
    path,
    text: readFileSync(join(ROOT, path), 'utf8'),
  }));
}

/** The fenced blocks of a page, in order. */
export function blocksOf({ text }: Page): Block[] {
  return [...text.matchAll(FENCE)].map(({ index, groups = {} }) => {
    const { marker = '', indent = '', language = '', code = '' } = groups;
    const before = text.slice(0, index + marker.length).split('\n').length;
    return {
      language: language.trim(),
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: before + 1,
      continues: marker !== '',
    };
  });
}

/** A page's prose: blocks and code within lines are left out. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(FENCE, '').replaceAll(/(`+)[^`\n]+\1/g, '');
}
