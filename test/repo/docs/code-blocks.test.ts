import { describe, expect, it } from 'vitest';
import {
  cutWrong,
  dataErrorsOf,
  missingScriptsOf,
  syntaxErrorsOf,
  typeErrorsOf,
} from './code-blocks-check.js';
import { blocksOf, pagesWithCode } from '../../support/docs/code-blocks-markdown.js';

const PAGES = pagesWithCode();
/** Other languages, or none: their code is not checked here. */
const OTHERS = ['', 'sh', 'sql', 'json', 'yaml', 'text', 'ini', 'promql'];

const FIRST = "```ts\nimport { newPool } from 'pgauge';\n\nconst mine = await newPool(config);\n```\n";
const USE = '```ts\nawait mine.end();\n```\n';
const CONTINUES = '<!-- continues -->\n';
const SAMPLES = {
  'docs/wrong-option.md': `# A\n\n${FIRST}\n${CONTINUES}\n\`\`\`ts\nawait newPool(config, {\n  maximum: 3,\n});\n\`\`\`\n`,
  'docs/apart.md': `${FIRST}\n${USE}`,
  'docs/continued.md': `${FIRST}\n${CONTINUES}\n${USE}`,
};

/** Includes the samples, because a compiler takes seconds to start. */
const TYPE_ERRORS = typeErrorsOf([
  ...PAGES,
  ...Object.entries(SAMPLES).map(([path, text]) => ({ path, text })),
]);
const errorsIn = (path: keyof typeof SAMPLES): string[] =>
  TYPE_ERRORS.filter((error) => error.startsWith(`${path}:`));
const isOfSample = (error: string): boolean =>
  Object.keys(SAMPLES).some((path) => error.startsWith(`${path}:`));

describe('the code in the documentation', () => {
  it('uses only known languages, so that every block is checked', () => {
    const languages = new Set(PAGES.flatMap((page) => blocksOf(page).map(({ language }) => language)));
    expect([...languages].filter((language) => !['ts', 'js', ...OTHERS].includes(language))).toEqual([]);
    expect(languages).toContain('ts');
    expect(languages).toContain('js');
  });

  it('has no type errors in TypeScript', () => {
    expect(TYPE_ERRORS.filter((error) => !isOfSample(error))).toEqual([]);
  });

  it('matches the file that it is an excerpt of', () => {
    expect(cutWrong(PAGES)).toEqual([]);
  });

  it('can be parsed if it is JavaScript', () => {
    expect(syntaxErrorsOf(PAGES)).toEqual([]);
  });

  it('can be parsed if it is data', () => {
    expect(dataErrorsOf(PAGES)).toEqual([]);
  });

  it('names only existing npm scripts', () => {
    expect(missingScriptsOf(PAGES)).toEqual([]);
  });
});

describe('the check of the code in the documentation', () => {
  it('finds an unknown option, and names its line', () => {
    const [error, ...others] = errorsIn('docs/wrong-option.md');
    expect(error).toMatch(/^docs\/wrong-option\.md:13: .*'maximum' does not exist in type 'PoolOptions'/);
    expect(others).toEqual([]);
  });

  it('shares declarations between blocks only where a comment says so', () => {
    expect(errorsIn('docs/apart.md')).toEqual(["docs/apart.md:8: Cannot find name 'mine'."]);
    expect(errorsIn('docs/continued.md')).toEqual([]);
  });

  it('finds a block that does not match its file, and a missing file', () => {
    const cut = (from: string, code: string): string[] =>
      cutWrong([{ path: 'docs/page.md', text: `<!-- from: ${from} -->\n\n\`\`\`ts\n${code}\n\`\`\`\n` }]);
    const first = "import { defineConfig } from 'pgauge';";
    expect(cut('examples/ecosystem/config.ts', first)).toEqual([]);
    expect(cut('examples/ecosystem/config.ts', first.slice(1))).toHaveLength(1);
    expect(cut('examples/ecosystem/config.ts', first.slice(0, -1))).toHaveLength(1);
    expect(cut('examples/missing.ts', first)).toEqual(['docs/page.md:4: there is no examples/missing.ts']);
  });

  const page = (text: string) => [{ path: 'docs/page.md', text }];

  it('finds JavaScript that cannot be parsed', () => {
    expect(syntaxErrorsOf(page('```js\nconst = 3;\n```\n'))[0]).toMatch(/^docs\/page\.md:2: /);
  });

  it('finds data that cannot be parsed', () => {
    const text = '```json\n{ "a": 1, }\n```\n\n```yaml\na: [\n```\n\n```yaml\na: 1\n```\n';
    expect(dataErrorsOf(page(text)).map((error) => error.slice(0, 15))).toEqual([
      'docs/page.md:2:',
      'docs/page.md:6:',
    ]);
  });

  it('finds an unknown npm script, also in the package of another folder', () => {
    const text =
      '```sh\nnpm ci && npm test\nnpm run nope\nnpm --prefix dashboards/pictures run neither\n```\n';
    expect(missingScriptsOf(page(text))).toEqual(['docs/page.md:2: nope', 'docs/page.md:2: neither']);
  });

  it('reads the reason why a block is not run from the comment above it', () => {
    const text =
      '<!-- continues -->\n<!-- not run: it needs the\n     moon -->\n\n```js\n1;\n```\n\n```js\n2;\n```\n';
    expect(page(text).flatMap(blocksOf)).toMatchObject([
      { continues: true, line: 6, notRun: 'it needs the\n     moon' },
      { continues: false, line: 10, notRun: undefined },
    ]);
  });
});
