import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

/** A page of the documentation. */
export interface Page {
  /** Its path relative to the root of the project. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** The line of the page at which its code begins, counted from 1. */
  readonly line: number;
  /** Whether it continues the block of the same language before it, as marked by the comment above it. */
  readonly continues: boolean;
  /** Why it cannot be run, from the comment above it; undefined if it can. */
  readonly notRun: string | undefined;
  /**
   * The file it is cut from, relative to the project's root, from the comment above it; that file is checked and run.
   */
  readonly from: string | undefined;
}

const FENCE =
  /^(?<markers>(?: *<!--(?:(?!-->)[^])*-->\n+)*)(?<indent> *)```(?<language>[^\n`]*)\n(?<code>[^]*?)^ *```$/gm;

/** README.md and all pages under docs/. */
export function allPages(): Page[] {
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return ['README.md', ...below.sort()].map((path) => ({
    path,
    text: readFileSync(join(ROOT, path), 'utf8'),
  }));
}

/** Every hand-written page: those of the documentation, and those next to the code that they describe. */
export function writtenPages(): Page[] {
  const generated = /^docs\/(?:api|telemetry|stack-results|failover-results)\.md$/;
  const beside = [
    ...['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'bench/README.md'],
    ...['dashboards/README.md', 'local-rds/README.md'],
    ...['examples/ecosystem/README.md', 'examples/service/README.md'],
  ];
  return [
    ...allPages().filter(({ path }) => !generated.test(path)),
    ...beside.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
  ];
}

/** The pages with code that a reader would run; the API reference has only generated signatures. */
export function pagesWithCode(): Page[] {
  return allPages().filter(({ path }) => path !== 'docs/api.md');
}

/** The fenced blocks of a page, in order. */
export function blocksOf({ text }: Page): Block[] {
  return [...text.matchAll(FENCE)].map(({ index, groups = {} }) => {
    const { markers = '', indent = '', language = '', code = '' } = groups;
    const before = text.slice(0, index + markers.length).split('\n').length;
    return {
      language: language.trim(),
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: before + 1,
      continues: markers.includes('<!-- continues -->'),
      notRun: /<!-- not run: ((?:(?!-->)[^])+?) *-->/.exec(markers)?.[1],
      from: /<!-- from: (\S+) -->/.exec(markers)?.[1],
    };
  });
}

/** A page's prose, without code blocks and inline code. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(FENCE, '').replaceAll(/(`+)[^`\n]+\1/g, '');
}
