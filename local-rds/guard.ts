import { spawn, type ChildProcess } from 'node:child_process';

// A shell in its own session reads from a pipe whose other end only this process holds. The pipe closes however this
// process ends, even by SIGKILL; the shell then stops the server and removes its folder. SIGQUIT makes the postmaster
// end its children, which run in their own sessions; SIGKILL follows if it does not react.
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

/** Stops a server and removes its folder if this process ends without doing so. */
export class Guard {
  readonly #shell: ChildProcess;
  #pid: number | undefined;

  constructor(folder: string) {
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'local-rds-guard', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      detached: true,
    });
    // Without the shell, only the protection is lost; errors of the server are reported separately.
    this.#shell.on('error', () => undefined);
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
    (this.#shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    if (guards.size === 0) process.on('exit', stopAll);
    guards.add(this);
  }

  /** Sets the process to stop; `undefined` if none is running. */
  watch(pid: number | undefined): void {
    this.#pid = pid;
    this.#shell.stdin?.write(`${pid ?? 'down'}\n`);
  }

  /** Ends the guard, once nothing is left to stop or remove. */
  release(): void {
    guards.delete(this);
    if (guards.size === 0) process.off('exit', stopAll);
    this.#shell.stdin?.end('done\n');
  }

  /** Makes the server end immediately; the shell removes its folder. */
  stopNow(): void {
    if (this.#pid === undefined) return;
    try {
      process.kill(this.#pid, 'SIGQUIT');
    } catch {
      // It has already ended.
    }
  }
}

function stopAll(): void {
  for (const guard of guards) guard.stopNow();
}
