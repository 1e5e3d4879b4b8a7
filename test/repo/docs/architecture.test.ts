import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { architecture, drawnArrows, imports, leaves, tablePaths, treePaths } from './architecture.js';
import { ROOT } from '../../support/docs/code-blocks-markdown.js';

const TEXT = architecture();
const PATHS = treePaths(TEXT);
const IGNORED = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n');

const foldersIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !IGNORED.includes(entry.name))
    .map(({ name }) => `${folder}${name}/`);

describe('the tree in ARCHITECTURE.md', () => {
  it('contains only existing paths', () => {
    expect(PATHS.length).toBeGreaterThan(60);
    expect(PATHS.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('contains every file of src, or its whole folder', () => {
    const whole = PATHS.filter(
      (path) => path.endsWith('/') && !PATHS.some((other) => other.startsWith(path) && other !== path),
    );
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `src/${name}`);
    const untold = files.filter(
      (file) => !PATHS.includes(file) && !whole.some((folder) => file.startsWith(folder)),
    );
    expect(untold).toEqual([]);
  });

  it.each(['', 'test/', 'examples/'])('contains every folder of "%s"', (folder) => {
    expect(foldersIn(folder).filter((path) => !PATHS.includes(path))).toEqual([]);
  });

  it('contains no path twice', () => {
    expect(PATHS.filter((path, at) => PATHS.indexOf(path) !== at)).toEqual([]);
  });
});

describe('the arrows in ARCHITECTURE.md', async () => {
  const found = await imports();
  const drawn = drawnArrows(TEXT);
  const parts = new Set([...drawn.flatMap((arrow) => arrow.split(' → ')), ...leaves(TEXT)]);
  /** The part to which a file belongs: the longest matching one in the drawing. */
  const partOf = (file: string): string =>
    [...parts]
      .filter((part) => file === part || file.startsWith(`${part}/`))
      .sort((a, b) => b.length - a.length)[0] ?? file;
  const taken = found.flatMap(([from, to]) => {
    const [source, target] = [partOf(from), partOf(to)];
    return source === target || source === 'doctor' ? [] : [`${source} → ${target}`];
  });

  it('match the imports, types included', () => {
    expect(taken.length).toBeGreaterThan(50);
    expect([...new Set(taken)].sort()).toEqual([...drawn].sort());
  });

  it('do not start at a folder described as importing none of ours', () => {
    expect(leaves(TEXT).length).toBeGreaterThan(3);
    expect(taken.filter((arrow) => leaves(TEXT).includes(arrow.split(' → ')[0] ?? ''))).toEqual([]);
  });
});

it('the table of changes in ARCHITECTURE.md has at least 30 rows and only existing paths', () => {
  const paths = tablePaths(TEXT);
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
