import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { blocksOf, ROOT, type Block, type Page } from './code-blocks-markdown.js';

/** Blocks that go on from each other. */
export interface Chain {
  readonly page: Page;
  /** Its place among the chains of its page and language. */
  readonly at: number;
  readonly blocks: readonly Block[];
}

/** What a source file is made of beside the blocks. */
export interface Setting {
  /** Where the prelude is imported from. */
  readonly prelude: string;
  /** Stands before everything. */
  readonly head?: string;
  /** What follows a block and all that goes on from it. */
  readonly after?: (block: Block) => string;
}

/** The prelude: a module whose exports every block may use. */
export const PRELUDE_PATH = join(ROOT, 'test/support/docs/prelude.ts');

const PRELUDE_NAMES = [
  ...readFileSync(PRELUDE_PATH, 'utf8').matchAll(/^export (?:const|(?:async )?function) (\w+)/gm),
].map(([, name = '']) => name);

/** The chains of a page in one language, blocks cut from a file left out; throws where a block continues nothing. */
export function chainsOf(page: Page, language: string): Chain[] {
  const chains: Block[][] = [];
  const own = blocksOf(page).filter((block) => block.language === language && block.from === undefined);
  for (const block of own) {
    const last = chains.at(-1);
    if (!block.continues) chains.push([block]);
    else if (last !== undefined) last.push(block);
    else throw new Error(`${page.path}:${block.line}: there is no block to continue`);
  }
  return chains.map((blocks, at) => ({ page, at, blocks }));
}

/**
 * A source file: imports at the top, then each block in a scope within that of the one before it, so that it may declare
 * names anew. `places` has for each line its place in the documentation.
 */
export function sourceOf(
  { page, blocks }: Chain,
  { prelude, head = '', after = () => '' }: Setting,
): { readonly source: string; readonly places: readonly string[] } {
  const imports: string[] = [];
  const names = new Set<string>();
  const lines: string[] = [];
  const places: string[] = [];
  for (const block of blocks) {
    const { body, own } = split(block.code, names);
    imports.push(...own);
    for (const [at, line] of ['{', ...body.split('\n')].entries()) {
      lines.push(line);
      places.push(`${page.path}:${block.line + Math.max(at - 1, 0)}`);
    }
  }
  const free = PRELUDE_NAMES.filter((name) => !names.has(name));
  const top = `${head} import { ${free.join(', ')} } from '${prelude}'; ${imports.join(' ')}`;
  const ends = blocks.map((block) => `${after(block)} }`).reverse();
  return {
    source: [top, ...lines, ends.join(' ')].join('\n'),
    places: [`${page.path}:${blocks[0]?.line ?? 0}`, ...places],
  };
}

/** A block without its imports, whose lines stay empty, and these; `names` collects what they declare. */
function split(code: string, names: Set<string>): { readonly body: string; readonly own: string[] } {
  const file = ts.createSourceFile('block.ts', code, ts.ScriptTarget.Latest);
  const own: string[] = [];
  let body = code;
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const text = statement.getText(file);
    own.push(text.replaceAll('\n', ' '));
    body = body.replace(text, text.replaceAll(/[^\n]/g, ' '));
    for (const [name] of text.matchAll(/\b\w+\b/g)) names.add(name);
  }
  return { body, own };
}
