import { spawn, type ChildProcess } from 'node:child_process';

// A shell of its own session reads a pipe that only this process holds. The pipe closes however this process
// ends, SIGKILL included, and then the shell stops the server and removes its folder. SIGQUIT makes the
// postmaster end its children, which sit in sessions of their own; SIGKILL follows if it does not answer.
const SCRIPT = `
dir=$1 pid=
while read -r word; do
  case $word in
    done) exit 0 ;;
    down) pid= ;;
    *) pid=$word ;;
  esac
done
if [ -n "$pid" ]; then
  kill -QUIT "$pid"
  tries=0
  while kill -0 "$pid" && [ $tries -lt 60 ]; do
    # Ended, but its new parent has not reaped it.
    grep -qs '^State:.*Z' "/proc/$pid/status" && break
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -KILL "$pid"
fi
rm -rf "$dir" || { sleep 1; rm -rf "$dir"; }
`;

const guards = new Set<Guard>();

/** Stops a server and removes its folder when this process ends without having done so. */
export class Guard {
  readonly #shell: ChildProcess;
  #pid: number | undefined;

  constructor(folder: string) {
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'local-rds-guard', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      detached: true,
    });
    // Its loss only loses the protection; the server itself reports its own errors.
    this.#shell.on('error', () => undefined);
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    if (guards.size === 0) process.on('exit', stopAll);
    guards.add(this);
  }

  /** Names the process to stop, or `undefined` when none runs. */
  watch(pid: number | undefined): void {
    this.#pid = pid;
    this.#shell.stdin?.write(`${pid ?? 'down'}\n`);
  }

  /** Ends the guard: nothing is left to stop or remove. */
  release(): void {
    guards.delete(this);
    if (guards.size === 0) process.off('exit', stopAll);
    this.#shell.stdin?.end('done\n');
  }

  /** Asks the server to end at once; its folder is the shell's to remove. */
  stopNow(): void {
    if (this.#pid === undefined) return;
    try {
      process.kill(this.#pid, 'SIGQUIT');
    } catch {
      // It has gone already.
    }
  }
}

function stopAll(): void {
  for (const guard of guards) guard.stopNow();
}
