import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Assignment } from './programs/child.js';
import type { Sample } from './programs/program.js';

/** A contender that does not answer for this long is considered hung. */
const ANSWER_WITHIN_MS = 180_000;

interface Answer {
  readonly ready?: true;
  readonly sample?: Sample;
  readonly error?: string;
}

/** One contender in its own process. */
export class ContenderProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly title: string,
  ) {}

  /** Starts the process; resolves when it is ready to be measured. */
  static async start(
    workspace: string,
    what: Assignment,
    environment: Readonly<Record<string, string>> = {},
    flags: readonly string[] = [],
  ): Promise<ContenderProcess> {
    const child = fork(join(workspace, 'child.mjs'), {
      cwd: workspace,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        ...environment,
      },
      execArgv: ['--expose-gc', ...flags],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const started = new ContenderProcess(child, `${what.program}, ${what.contender}`);
    try {
      child.send(what);
      await started.answer();
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return started;
  }

  /** One measurement. */
  async run(): Promise<Sample> {
    const answered = this.answer();
    this.child.send('run');
    const { sample } = await answered;
    if (sample === undefined) throw new Error(`${this.title}: no sample`);
    return sample;
  }

  /** Ends the process. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    // Kills the process if ending hangs; no more samples are needed from it.
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    this.child.send('end');
    await exited;
    clearTimeout(timer);
  }

  private async answer(): Promise<Answer> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), ANSWER_WITHIN_MS);
    const { signal } = timeout;
    try {
      const answer = await Promise.race([
        once(this.child, 'message', { signal }).then(([message]) => message as Answer),
        once(this.child, 'exit', { signal }).then(([code]): Answer => ({
          error: `ended with code ${String(code)}`,
        })),
      ]);
      if (answer.error !== undefined) throw new Error(`${this.title}: ${answer.error}`);
      return answer;
    } finally {
      clearTimeout(timer);
      timeout.abort();
    }
  }
}
