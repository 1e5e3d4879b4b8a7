import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise, type ICruiseOptions } from 'dependency-cruiser';
import { ROOT } from '../../support/docs/code-blocks-markdown.js';

/** The text of ARCHITECTURE.md. */
export const architecture = (): string => readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');

const block = (text: string, heading: string): string[] => {
  const found = new RegExp(`^## ${heading}\n+\`\`\`(?:text)?\n([^]*?)^\`\`\`$`, 'm').exec(text);
  if (found === null) throw new Error(`ARCHITECTURE.md has no block below "${heading}"`);
  return (found[1] ?? '').trimEnd().split('\n');
};

const ENTRY = /^(?<indent> {0,8})(?<names>[\w.-]+(?:\.ts|\/)(?: {2,}[\w.-]+\.ts)*)(?<says>.*)$/;
/** `examples/ demo/ (…), load/`: folders within the entry. */
const WITHIN = /(?<![\w./-])(?<name>[\w-]+\/)(?=[\s,;:)]|$)/g;

/** The paths in the tree, relative to the root; those of folders end with a slash. */
export function treePaths(text: string): string[] {
  // A line that is indented further continues the line before it.
  const lines = block(text, 'The tree')
    .join('\n')
    .replaceAll(/\n {12,}/g, ' ')
    .split('\n');
  const folders: string[] = [];
  return lines.flatMap((line) => {
    const { indent = '', names = '', says = '' } = ENTRY.exec(line)?.groups ?? {};
    if (names === '') throw new Error(`a line of the tree names nothing: ${line}`);
    const depth = indent.length / 2;
    const parent = folders.slice(0, depth).join('');
    const own = names.split(/ +/).map((name) => parent + name);
    if (!names.endsWith('/')) return own;
    folders.splice(depth, Infinity, names);
    return [
      ...own,
      ...[...says.matchAll(WITHIN)].map(({ groups }) => `${parent}${names}${groups?.['name']}`),
    ];
  });
}

/** The arrows in the drawing: `from → to`. */
export function drawnArrows(text: string): string[] {
  return block(text, 'The arrows').flatMap((line) => {
    const [from = [], to = []] = line.split('→').map((side) => side.split(',').map((name) => name.trim()));
    return from.flatMap((source) => to.map((target) => `${source} → ${target}`));
  });
}

/** The paths in the table "To change …, open …". */
export function tablePaths(text: string): string[] {
  const [, table = ''] = /^## To change …, open …\n\n([^]*?)\n\n/m.exec(text) ?? [];
  return table
    .split('\n')
    .slice(2)
    .flatMap((row) => [...(row.split('|')[2] ?? '').matchAll(/`([\w./-]+)`/g)].map(([, path = '']) => path));
}

/** The parts that, according to the text, import nothing of ours. */
export function leaves(text: string): string[] {
  const [, list = ''] = /((?:`[\w/-]+`(?:,| and)?\s)+)import nothing of ours/.exec(text) ?? [];
  return [...list.matchAll(/`([\w/-]+)`/g)].map(([, name = '']) => name);
}

/** The imports between files under `src/`, types included: `[from, to]`, without folder and extension. */
export async function imports(): Promise<(readonly [string, string])[]> {
  const { options } = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as {
    options: ICruiseOptions;
  };
  const { output } = await cruise(['src'], { ...options, baseDir: ROOT });
  if (typeof output === 'string') throw new Error(output);
  const name = (path: string): string => path.replace(/^src\//, '').replace(/\.ts$/, '');
  return output.modules.flatMap(({ source, dependencies }) =>
    dependencies
      .filter(({ resolved }) => resolved.startsWith('src/'))
      .map(({ resolved }) => [name(source), name(resolved)] as const),
  );
}
