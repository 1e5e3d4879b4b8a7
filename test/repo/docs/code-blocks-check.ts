import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { parse as parseYaml } from 'yaml';
import { chainsOf, PRELUDE_PATH, sourceOf } from '../../support/docs/code-blocks-chains.js';
import { blocksOf, ROOT, type Page } from '../../support/docs/code-blocks-markdown.js';

/**
 * The compiler's errors in the `ts` blocks of pages, each with its place; `pgauge` resolves to the project's source.
 */
export function typeErrorsOf(pages: readonly Page[]): string[] {
  const chains = pages.flatMap((page) =>
    chainsOf(page, 'ts').map((chain) => {
      const path = join(ROOT, `${page.path}.${chain.at}.ts`);
      const prelude = relative(dirname(path), PRELUDE_PATH)
        .replace(/^(?!\.)/, './')
        .replace(/ts$/, 'js');
      return { path, ...sourceOf(chain, { prelude }) };
    }),
  );
  const sources = new Map(chains.map(({ path, source }) => [path, source]));
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

/** The blocks that name a file they are cut from, but are not in it. */
export function cutWrong(pages: readonly Page[]): string[] {
  return pages.flatMap((page) =>
    blocksOf(page).flatMap(({ from, code, line }) => {
      if (from === undefined) return [];
      const path = join(ROOT, from);
      if (!existsSync(path)) return [`${page.path}:${line}: there is no ${from}`];
      const text = readFileSync(path, 'utf8');
      return `\n${text}`.includes(`\n${code}`) ? [] : [`${page.path}:${line}: ${from} has not these lines`];
    }),
  );
}

/** The parser's errors in the `js` blocks of pages. */
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

/** The parsers' errors in the `json` and `yaml` blocks of pages. */
export function dataErrorsOf(pages: readonly Page[]): string[] {
  const parsers = new Map<string, (text: string) => unknown>([
    ['json', (text) => JSON.parse(text) as unknown],
    ['yaml', (text) => parseYaml(text) as unknown],
  ]);
  return pages.flatMap((page) =>
    blocksOf(page).flatMap(({ language, code, line }) => {
      try {
        parsers.get(language)?.(code);
        return [];
      } catch (error) {
        return [`${page.path}:${line}: ${(error as Error).message}`];
      }
    }),
  );
}

const NPM_SCRIPT =
  /\bnpm (?:--prefix (?<folder>\S+) )?(?:run(?: -s)? (?<named>[\w:-]+)|(?<own>test|start)\b)/g;

/** The npm scripts that `sh` blocks of pages run and no package.json has. */
export function missingScriptsOf(pages: readonly Page[]): string[] {
  return pages.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code, line }) =>
        [...code.matchAll(NPM_SCRIPT)]
          .filter(({ groups = {} }) => {
            const file = join(ROOT, groups['folder'] ?? '', 'package.json');
            const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts: object };
            return !Object.hasOwn(scripts, groups['named'] ?? groups['own'] ?? '');
          })
          .map(({ groups = {} }) => `${page.path}:${line}: ${groups['named'] ?? groups['own'] ?? ''}`),
      ),
  );
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile) as {
    config: { compilerOptions: object };
  };
  const settings = {
    ...config.compilerOptions,
    paths: { pgauge: ['./src/index.ts'] },
    // A block may declare names without using them.
    noUnusedLocals: false,
    noUnusedParameters: false,
    declaration: false,
  };
  const { options, errors } = ts.parseJsonConfigFileContent(
    { compilerOptions: settings, files: [] },
    ts.sys,
    ROOT,
  );
  // Ignore 18002, that no files are listed: they are passed to the program.
  const [error] = errors.filter(({ code }) => code !== 18002);
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
  return options;
}
