import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runScript, type ChildResult } from './child.js';

const ROOT = join(import.meta.dirname, '../..');

/** An installation of this package in a separate folder, removed after the test that made it. */
export class TempCopy {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'pgauge-copy-')));
  #scripts = 0;

  /** Copies `src`; only these packages are installed there, those in `copied` as separate files. */
  constructor({ linked, copied = [] }: { linked: readonly string[]; copied?: readonly string[] }) {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    this.write('package.json', '{"type":"module"}');
    cpSync(join(ROOT, 'src'), join(this.folder, 'src'), { recursive: true });
    for (const name of linked) {
      mkdirSync(dirname(this.#installed(name)), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), this.#installed(name));
    }
    for (const name of copied) {
      cpSync(realpathSync(join(ROOT, 'node_modules', name)), this.#installed(name), { recursive: true });
    }
  }

  /** Writes a file, and creates its folders. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  /** Whether a package is installed here. */
  has(name: string): boolean {
    return existsSync(this.#installed(name));
  }

  /** Runs a module in a separate process, with this folder's packages. */
  run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<ChildResult> {
    this.#scripts += 1;
    const name = `program-${this.#scripts}.mts`;
    this.write(name, program);
    return runScript(new URL(`file://${join(this.folder, name)}`), args, { env }).result;
  }

  #installed(name: string): string {
    return join(this.folder, 'node_modules', name);
  }
}
