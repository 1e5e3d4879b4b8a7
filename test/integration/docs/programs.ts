import ts from 'typescript';
import { chainsOf, sourceOf, type Chain } from '../../support/docs/code-blocks-chains.js';
import type { Block, Page } from '../../support/docs/code-blocks-markdown.js';

/** A program made of blocks from the documentation. */
export interface Program {
  /** Where it begins in the documentation. */
  readonly place: string;
  /** Its file, in a folder that contains `docs/prelude.js` and `docs/use-pool.js`. */
  readonly path: string;
  /** JavaScript. */
  readonly code: string;
  /** The pools it makes, by name. */
  readonly pools: readonly string[];
  /** Whether it logs in with tokens of RDS rather than with a password. */
  readonly tokens: boolean;
}

const NAMED = /^\/\/ (?<name>[\w-]+\.mjs)\n/;
const MAKES_POOL = /^(?:await )?(?:newPool|new (?:pg\.)?Pool)\(/;

/**
 * The programs of a page: one for each chain of blocks that can be run, and one for each block that begins with its
 * file's name.
 */
export function programsOf(page: Page): Program[] {
  return ['ts', 'js'].flatMap((language) =>
    chainsOf(page, language).flatMap((chain): Program[] => {
      const blocks = chain.blocks.filter(({ notRun }) => notRun === undefined);
      const [first] = blocks;
      if (first === undefined) return [];
      const text = blocks.map(({ code }) => code).join('\n');
      const name = NAMED.exec(first.code)?.groups?.['name'];
      const folder = page.path.replace(/\.md$/, '');
      return [
        {
          place: `${page.path}:${first.line}`,
          path: name === undefined ? `${folder}.${language}.${chain.at}.mjs` : `${folder}/${name}`,
          code: name === undefined ? javaScript({ ...chain, blocks }) : first.code,
          pools: name === undefined ? blocks.flatMap(poolsOf) : [],
          tokens: /dynamicAuth|DynamicAuth|Signer/.test(text) && !/\bcustom:/.test(text),
        },
      ];
    }),
  );
}

function javaScript(chain: Chain): string {
  const docs = `./${'../'.repeat(chain.page.path.split('/').length - 1)}docs`;
  const { source } = sourceOf(chain, {
    prelude: `${docs}/prelude.js`,
    head: `import { usePool } from '${docs}/use-pool.js';`,
    after: (block) =>
      poolsOf(block)
        .map((pool) => `await usePool(${pool}, '${pool}');`)
        .join(' '),
  });
  const { outputText } = ts.transpileModule(source, {
    // Node 20 does not support `using`.
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  return outputText;
}

/** The names of the pools that a block creates at its top level. */
function poolsOf({ code }: Block): string[] {
  const { statements } = ts.createSourceFile('block.ts', code, ts.ScriptTarget.Latest, true);
  return statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .filter(({ initializer }) => MAKES_POOL.test(initializer?.getText() ?? ''))
    .map(({ name }) => name.getText());
}
