import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** The TypeScript files under a folder, as paths relative to the root of the project. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

/** The files that a file imports by a relative path, relative to the root. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true);
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => join(dirname(file), fileName).replace(/\.js$/, '.ts'));
}

/** The file of src that a unit test is named after: `X.test.ts` or `X.something.test.ts` is for `src/X.ts`. */
function mirrored(test: string): string | undefined {
  const [, path = '', name = ''] = /^test\/unit\/((?:.*\/)?)([^/]+)\.test\.ts$/.exec(test) ?? [];
  if (name === '') return undefined;
  const candidates = [name, name.replace(/\.[^.]+$/, '')].map((stem) => `src/${path}${stem}.ts`);
  return candidates.find((source) => existsSync(join(ROOT, source)));
}

/** The folder under test that a file belongs to. */
const folderOf = (file: string): string => file.split('/')[1] ?? '';

const FILES = filesBelow('test');
const edges = FILES.flatMap((file) => importsOf(file).map((target) => ({ file, target })));

describe('the tree of the tests', () => {
  it('has only tests named after a file of src in test/unit', () => {
    const unit = FILES.filter((file) => file.startsWith('test/unit/'));
    expect(unit.length).toBeGreaterThan(20);
    const strays = unit.filter((file) => mirrored(file) === undefined);
    const message =
      'name each after the file of src that it tests: test/unit/X.test.ts or test/unit/X.something.test.ts for src/X.ts; ' +
      'helpers belong in test/support, tests of several files in test/integration';
    expect(strays, message).toEqual([]);
  });

  it('has helpers in test/support that import neither tests nor files of test folders', () => {
    const wrong = edges.filter(
      ({ file, target }) =>
        folderOf(file) === 'support' && target.startsWith('test/') && folderOf(target) !== 'support',
    );
    expect(wrong, 'move what test/support imports into test/support').toEqual([]);
  });

  it('has no file that imports a test', () => {
    expect(edges.filter(({ target }) => target.endsWith('.test.ts'))).toEqual([]);
  });

  it('has no test folder that imports from another one', () => {
    const wrong = edges.filter(
      ({ file, target }) =>
        target.startsWith('test/') && ![folderOf(file), 'support'].includes(folderOf(target)),
    );
    expect(edges.length).toBeGreaterThan(400);
    expect(wrong, 'what two folders of tests share belongs in test/support').toEqual([]);
  });
});
