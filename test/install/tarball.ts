import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const PACK_TIMEOUT_MS = 120_000;

/** The files besides the declarations. */
const EXPECTED = [
  ...['CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md', 'package.json'],
  ...['dist/index.js', 'dist/index.cjs', 'dist/exports.cjs', 'dist/index.d.ts', 'dist/index.d.cts'],
  ...['dist/types/package.json', 'dist/cli/main.js'],
  ...['index.html', 'page.css', 'page.js', 'charts.js', 'bands.js'].map((name) => `dist/cli/page/${name}`),
  ...['uPlot.iife.min.js', 'uPlot.min.css', 'uPlot.LICENSE'].map((name) => `dist/cli/page/${name}`),
];
/** The chunks of the command line tool, as the bundler names them. */
const PART = /^dist\/cli\/[a-z-]+-[0-9A-Z]{8}\.js$/;
/** Sources of the tool, which the package does not export. */
const TOOL = /(^|\/)(cli|doctor|watch)(\/|\.ts$)/;
/** One and a half times the size when this was written: room for growth, but not for files that do not belong there. */
const MOST_PACKED_BYTES = 450_000;
const MOST_UNPACKED_BYTES = 1_600_000;

/** npm's report about a tarball that it made. */
interface PackReport {
  readonly filename: string;
  /** Packed, in bytes. */
  readonly size: number;
  /** In bytes. */
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Packs this package into `folder` as a release would; returns the path and npm's report. */
export async function pack(folder: string): Promise<{ path: string; report: PackReport }> {
  const args = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: ROOT, timeout: PACK_TIMEOUT_MS });
  const [report] = JSON.parse(stdout) as PackReport[];
  if (report === undefined) throw new Error('npm packed nothing');
  return { path: join(folder, report.filename), report };
}

/**
 * Throws unless the tarball contains the library's modules, the tool and the declarations of every source of the
 * library, and nothing else; returns its size.
 */
export async function checkContents({ files, size, unpackedSize }: PackReport): Promise<string> {
  const found = new Set(files.map(({ path }) => path));
  const sources = await readdir(join(ROOT, 'src'), { recursive: true });
  const declarations = sources
    .filter((path) => path.endsWith('.ts') && !TOOL.test(path))
    .map((path) => join('dist/types', path.replace(/\.ts$/, '.d.ts')));
  const expected = new Set([...EXPECTED, ...declarations]);
  const missing = [...expected].filter((path) => !found.has(path));
  const stray = [...found].filter((path) => !expected.has(path) && !PART.test(path));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
  if (stray.length > 0) throw new Error(`does not belong there: ${stray.join(', ')}`);
  const sizes = `${(size / 1000).toFixed(0)} kB, unpacked ${(unpackedSize / 1000).toFixed(0)} kB`;
  if (size > MOST_PACKED_BYTES || unpackedSize > MOST_UNPACKED_BYTES) throw new Error(`too large: ${sizes}`);
  return `${found.size} files, ${sizes}`;
}
