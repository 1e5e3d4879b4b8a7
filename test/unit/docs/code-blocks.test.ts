import { describe, expect, it } from 'vitest';
import { syntaxErrorsOf, typeErrorsOf } from './code-blocks-check.js';
import { allPages, blocksOf } from './code-blocks-markdown.js';

const PAGES = allPages();
/** Of other languages, or none: they are not checked here. */
const OTHERS = ['', 'sh', 'sql', 'json', 'yaml', 'text', 'ini', 'promql'];

const FIRST = "```ts\nimport { newPool } from 'pgauge';\n\nconst mine = await newPool(config);\n```\n";
const USE = '```ts\nawait mine.end();\n```\n';
const CONTINUES = '<!-- continues -->\n';
const SAMPLES = {
  'docs/wrong-option.md': `# A\n\n${FIRST}\n${CONTINUES}\n\`\`\`ts\nawait newPool(config, {\n  maximum: 3,\n});\n\`\`\`\n`,
  'docs/apart.md': `${FIRST}\n${USE}`,
  'docs/continued.md': `${FIRST}\n${CONTINUES}\n${USE}`,
};

/** The samples as well, since a compiler takes seconds to start. */
const TYPE_ERRORS = typeErrorsOf([
  ...PAGES,
  ...Object.entries(SAMPLES).map(([path, text]) => ({ path, text })),
]);
const errorsIn = (path: keyof typeof SAMPLES): string[] =>
  TYPE_ERRORS.filter((error) => error.startsWith(`${path}:`));
const isOfSample = (error: string): boolean =>
  Object.keys(SAMPLES).some((path) => error.startsWith(`${path}:`));

describe('the code in the documentation', () => {
  it('is in languages that are known, so that no block goes unchecked', () => {
    const languages = new Set(PAGES.flatMap((page) => blocksOf(page).map(({ language }) => language)));
    expect([...languages].filter((language) => !['ts', 'js', ...OTHERS].includes(language))).toEqual([]);
    expect(languages).toContain('ts');
    expect(languages).toContain('js');
  });

  it('has types that are right where it is TypeScript', () => {
    expect(TYPE_ERRORS.filter((error) => !isOfSample(error))).toEqual([]);
  });

  it('can be parsed where it is JavaScript', () => {
    expect(syntaxErrorsOf(PAGES)).toEqual([]);
  });
});

describe('the check of the code', () => {
  it('finds an option that there is not, and names its line', () => {
    const [error, ...others] = errorsIn('docs/wrong-option.md');
    expect(error).toMatch(/^docs\/wrong-option\.md:13: .*'maximum' does not exist in type 'PoolOptions'/);
    expect(others).toEqual([]);
  });

  it('gives a block what was declared before it only where a comment says so', () => {
    expect(errorsIn('docs/apart.md')).toEqual(["docs/apart.md:8: Cannot find name 'mine'."]);
    expect(errorsIn('docs/continued.md')).toEqual([]);
  });

  it('finds a script that cannot be parsed', () => {
    const text = '```js\nconst = 3;\n```\n';
    expect(syntaxErrorsOf([{ path: 'docs/page.md', text }])[0]).toMatch(/^docs\/page\.md:2: /);
  });
});
