import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import {
  Application,
  CommentTag,
  Converter,
  Logger,
  LogLevel,
  ReflectionKind,
  type Context,
  type DeclarationReflection,
  type TypeDocOptions,
} from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { ApiTheme } from './theme.js';

/** The file of the page. */
export const API_PAGE = new URL('../../docs/api.md', import.meta.url);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The page's sections in order, each with the files below `src/` whose public names it contains. */
const SECTIONS: readonly (readonly [string, RegExp])[] = [
  ['Making a pool', /^new-pool\.ts$/],
  ['The pool', /^pool\//],
  ['Config', /^(settings\/(config|redacted-view|ssl-mode)|auth\/(backends|aws\/))/],
  ['Options', /^settings\/(options|driver-settings|ssl-options)/],
  ['Hooks and logger', /^hooks\.ts$/],
  ['Tokens', /^auth\//],
  ['Connection strings', /^settings\/connection-string\.ts$/],
  ['Statistics in the log', /^telemetry\/logs\/stats-logger\.ts$/],
  ['Errors', /^errors\.ts$/],
];
const CONSTANTS = 'Constants';

const INTRO = `<!-- Generated from the doc comments in src by \`npm run docs:api\`: do not edit. -->

# API

Every named export of \`pgauge\`. What telemetry there is stands in [Telemetry](telemetry.md); how things are done, in the
[guides](guides/README.md).
`;

const OPTIONS: TypeDocOptions & Partial<PluginOptions> = {
  plugin: ['typedoc-plugin-markdown'],
  name: 'pgauge',
  logLevel: 'Warn',
  readme: 'none',
  disableGit: true,
  disableSources: true,
  hideGenerator: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  // Only documented constructors: pools are created with newPool, and errors are caught, not constructed.
  excludeNotDocumented: true,
  excludeNotDocumentedKinds: ['ConstructorSignature'],
  sort: ['documents-first'],
  groupOrder: [...SECTIONS.map(([title]) => title), CONSTANTS, 'Properties', 'Accessors', 'Methods'],
  validation: { notExported: true, invalidLink: true, notDocumented: true, rewrittenLink: true },
  theme: 'api',
  router: 'module',
  entryFileName: 'api',
  hidePageHeader: true,
  hidePageTitle: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  expandParameters: true,
  expandObjects: true,
  parametersFormat: 'none',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  tableColumnSettings: {
    hideDefaults: true,
    hideInherited: true,
    hideModifiers: true,
    hideOverrides: true,
    hideSources: true,
    hideValues: true,
  },
};

/** The formatted reference page of the public API, and typedoc's complaints about the doc comments. */
export async function apiPage(
  entryPoint = join(ROOT, 'src/index.ts'),
  tsconfig = join(ROOT, 'tsconfig.build.json'),
): Promise<ApiPage> {
  // A temporary folder, because typedoc empties its output folder.
  const out = await mkdtemp(join(tmpdir(), 'pgauge-api-'));
  try {
    const app = await Application.bootstrapWithPlugins({
      ...OPTIONS,
      entryPoints: [entryPoint],
      tsconfig,
      out,
    });
    const logger = new FaultLogger();
    app.logger = logger;
    app.renderer.defineTheme('api', ApiTheme);
    app.converter.on(Converter.EVENT_RESOLVE_BEGIN, putIntoSections);
    const project = await app.convert();
    if (project === undefined) throw new Error(`typedoc cannot read it: ${logger.faults.join(', ')}`);
    app.validate(project);
    await app.generateOutputs(project);
    const text = INTRO + (await readFile(join(out, 'api.md'), 'utf8'));
    const settings = await resolveConfig(API_PAGE);
    return { text: await format(text, { ...settings, parser: 'markdown' }), faults: logger.faults };
  } finally {
    await rm(out, { recursive: true });
  }
}

/** The generated page and its faults. */
interface ApiPage {
  readonly text: string;
  readonly faults: readonly string[];
}

class FaultLogger extends Logger {
  readonly faults: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.faults.push(message);
  }
}

function putIntoSections(context: Context): void {
  for (const reflection of context.project.children ?? []) {
    // The comment of a function belongs to its signature. A missing comment is reported as a fault in any section.
    const { comment = reflection.signatures?.[0]?.comment } = reflection;
    comment?.blockTags.push(
      new CommentTag('@group', [{ kind: 'text', text: sectionOf(context, reflection) }]),
    );
  }
}

function sectionOf(context: Context, reflection: DeclarationReflection): string {
  if (reflection.kind === ReflectionKind.Variable) return CONSTANTS;
  const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
  const file = relative(join(ROOT, 'src'), declaration?.getSourceFile().fileName ?? '');
  const [title] = SECTIONS.find(([, files]) => files.test(file)) ?? ['Others'];
  return title;
}
