import { join } from 'node:path';
import ts from 'typescript';
import { blocksOf, ROOT, type Block, type Page } from './code-blocks-markdown.js';
import { PRELUDE } from './code-blocks-prelude.js';

/** A source file made of blocks that go on from each other, and where its lines came from. */
interface Chain {
  readonly path: string;
  readonly source: string;
  /** For each line of the source its place in the documentation. */
  readonly places: readonly string[];
}

const PRELUDE_PATH = join(ROOT, 'docs/prelude.ts');

/** What the compiler says of the `ts` blocks of pages, each line with its place; `pgauge` is the project's own source. */
export function typeErrorsOf(pages: readonly Page[]): string[] {
  const chains = pages.flatMap((page) => chainsOf(page));
  const sources = new Map([[PRELUDE_PATH, PRELUDE], ...chains.map((c) => [c.path, c.source] as const)]);
  const places = new Map(chains.map((chain) => [chain.path, chain.places]));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const source = sources.get(path);
    return source === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, source, version);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map(({ start = 0, messageText }) => {
      const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
      const place = places.get(path)?.[line] ?? path;
      return `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

/** What the parser says of the `js` blocks of pages. */
export function syntaxErrorsOf(pages: readonly Page[]): string[] {
  return pages.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => language === 'js')
      .flatMap(({ code, line }) => {
        const { diagnostics = [] } = ts.transpileModule(code, {
          fileName: 'block.mjs',
          reportDiagnostics: true,
          compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, allowJs: true },
        });
        return diagnostics.map(
          ({ messageText }) => `${page.path}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
        );
      }),
  );
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile) as {
    config: { compilerOptions: object };
  };
  const settings = {
    ...config.compilerOptions,
    paths: { pgauge: ['./src/index.ts'] },
    // A block shows what there is, and need not use it.
    noUnusedLocals: false,
    noUnusedParameters: false,
    declaration: false,
  };
  const { options, errors } = ts.parseJsonConfigFileContent(
    { compilerOptions: settings, files: [] },
    ts.sys,
    ROOT,
  );
  // 18002: no files are listed, since they are given to the program.
  const [error] = errors.filter(({ code }) => code !== 18002);
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
  return options;
}

function chainsOf(page: Page): Chain[] {
  const chains: Block[][] = [];
  for (const block of blocksOf(page).filter(({ language }) => language === 'ts')) {
    const last = chains.at(-1);
    if (!block.continues) chains.push([block]);
    else if (last !== undefined) last.push(block);
    else throw new Error(`${page.path}:${block.line}: there is no block to continue`);
  }
  return chains.map((blocks, at) => ({
    path: join(ROOT, `${page.path}.${at}.ts`),
    ...sourceOf(page, blocks),
  }));
}

/** Imports at the top, then each block in a scope within that of the one before it, so that it may declare names anew. */
function sourceOf(page: Page, blocks: readonly Block[]): Omit<Chain, 'path'> {
  const imports: string[] = [];
  const names = new Set<string>();
  const lines: string[] = [];
  const places: string[] = [];
  for (const block of blocks) {
    const { body, head } = split(block.code, names);
    imports.push(...head);
    for (const [at, line] of ['{', ...body.split('\n')].entries()) {
      lines.push(line);
      places.push(`${page.path}:${block.line + Math.max(at - 1, 0)}`);
    }
  }
  const free = exportsOf(PRELUDE).filter((name) => !names.has(name));
  const top = `import { ${free.join(', ')} } from './${'../'.repeat(page.path.split('/').length - 1)}docs/prelude.js'; ${imports.join(' ')}`;
  return {
    source: [top, ...lines, '}'.repeat(blocks.length)].join('\n'),
    places: [`${page.path}:${blocks[0]?.line ?? 0}`, ...places],
  };
}

/** A block without its imports, whose lines stay empty, and these; `names` collects what they declare. */
function split(code: string, names: Set<string>): { readonly body: string; readonly head: string[] } {
  const file = ts.createSourceFile('block.ts', code, ts.ScriptTarget.Latest);
  const head: string[] = [];
  let body = code;
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const text = statement.getText(file);
    head.push(text.replaceAll('\n', ' '));
    body = body.replace(text, text.replaceAll(/[^\n]/g, ' '));
    for (const [name] of text.matchAll(/\b\w+\b/g)) names.add(name);
  }
  return { body, head };
}

function exportsOf(source: string): string[] {
  return [...source.matchAll(/^export declare (?:const|function) (\w+)/gm)].map(([, name = '']) => name);
}
