import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { blocksOf, ROOT, type Block, type Page } from './code-blocks-markdown.js';

/** Blocks that continue one another. */
export interface Chain {
  readonly page: Page;
  /** Its index among the chains of its page and language. */
  readonly at: number;
  readonly blocks: readonly Block[];
}

/** What a source file contains besides the blocks. */
export interface Setting {
  /** The path from which the prelude is imported. */
  readonly prelude: string;
  /** Comes before everything else. */
  readonly head?: string;
  /** Returns the code after a block and all blocks that continue it. */
  readonly after?: (block: Block) => string;
}

/** The prelude: a module whose exports every block may use. */
export const PRELUDE_PATH = join(ROOT, 'test/support/docs/prelude.ts');

const PRELUDE_NAMES = [
  ...readFileSync(PRELUDE_PATH, 'utf8').matchAll(/^export (?:const|(?:async )?function) (\w+)/gm),
].map(([, name = '']) => name);

/** The chains of a page in one language, without blocks cut from a file; throws if a block has none to continue. */
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
 * A source file: imports at the top, then each block in a scope nested in that of the block before it, so that it may
 * redeclare names. `places` has the position in the documentation of each line.
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

/** A block with its imports blanked, and those imports; adds the names that they declare to `names`. */
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
