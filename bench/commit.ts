import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

const git = async (...args: string[]): Promise<string> => {
  const { stdout } = await run('git', ['-C', ROOT, ...args]);
  return stdout.trim();
};

/** The sources of another commit, in a temporary worktree with this project's installed packages. */
export class Commit {
  private constructor(
    readonly path: string,
    readonly hash: string,
    private readonly folder: string,
  ) {}

  /** Checks out a commit; throws if `ref` does not name one. */
  static async checkOut(ref: string): Promise<Commit> {
    const full = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`).catch(
      () => {
        throw new Error(`--compare ${ref}: git knows no such commit`);
      },
    );
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'pgauge-bench-commit-')));
    const commit = new Commit(join(folder, 'tree'), full.slice(0, 9), folder);
    try {
      await git('worktree', 'add', '--detach', '--quiet', commit.path, full);
      await symlink(await realpath(join(ROOT, 'node_modules')), join(commit.path, 'node_modules'));
    } catch (error) {
      await commit[Symbol.asyncDispose]();
      throw error;
    }
    return commit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Fails if the worktree was never created.
    await git('worktree', 'remove', '--force', this.path).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }
}
