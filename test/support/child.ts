import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How a script ended. */
export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The lines it printed. */
  readonly lines: readonly string[];
  readonly stderr: string;
  /** Milliseconds from its last line to its exit. */
  readonly lingeredMs: number;
}

/** A running script. */
export interface Child {
  /** Resolves with the first printed line that starts with or matches `start`; rejects if the script ends before. */
  line(start: string | RegExp): Promise<string>;
  /** Sends it a signal. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended; a script that exceeds its time limit is killed. */
  readonly result: Promise<ChildResult>;
}

/**
 * Runs a TypeScript or JavaScript file in a separate process, killed after `timeoutMs` (60 000); as another user with
 * `uid`, which only root may set.
 */
export function runScript(
  script: URL,
  args: readonly string[],
  {
    env = {},
    timeoutMs = 60_000,
    uid,
  }: { env?: Record<string, string | undefined>; timeoutMs?: number; uid?: number } = {},
): Child {
  const loader = /\.m?ts$/.test(script.pathname) ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, fileURLToPath(script), ...args], {
    // Do not pass on the test runner's variables: its NODE_OPTIONS and VITEST would change the child.
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(uid !== undefined && { uid }),
  });
  const lines: string[] = [];
  let lastLineAt = performance.now();
  let exitedAt = 0;
  let partial = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (partial + text).split('\n');
    partial = parts.pop() ?? '';
    lines.push(...parts);
    lastLineAt = performance.now();
    for (const check of waiting) check();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.once('exit', () => (exitedAt = performance.now()));
  const result = new Promise<ChildResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code, signal, lines, stderr, lingeredMs: exitedAt - lastLineAt });
    });
  });
  const line = (start: string | RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = lines.find((text) =>
          typeof start === 'string' ? text.startsWith(start) : start.test(text),
        );
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      void result.then(() => {
        reject(
          new Error(`the script ended without printing ${String(start)}: ${lines.join('\n')}\n${stderr}`),
        );
      });
      check();
    });
  return { line, kill: (signal) => child.kill(signal), result };
}
