import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { endsWithUs } from './children.js';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 50;
const KEPT_CHARACTERS = 20_000;

/** The command that starts a server. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The user who runs the process; only root may set it. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A server in a separate process; disposing it stops the server. */
export class ServerProcess implements AsyncDisposable {
  /** The end of its output on stdout and stderr. */
  output = '';
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #exited: Promise<unknown>;

  constructor(name: string, { program, args, env, cwd, user }: ServerCommand) {
    this.#name = name;
    const options = {
      // Pass on only those variables of the caller's environment that a program needs to start.
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
      ...(cwd === undefined ? {} : { cwd }),
      ...user,
    };
    this.#child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    endsWithUs(this.#child);
    this.#exited = once(this.#child, 'exit').catch((error: unknown) => {
      this.output += String(error);
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-KEPT_CHARACTERS);
      });
  }

  /** Its process id. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Undefined while it runs; null if it was ended by a signal. */
  get exitCode(): number | null | undefined {
    const { exitCode, signalCode } = this.#child;
    return exitCode === null && signalCode === null ? undefined : exitCode;
  }

  /**
   * Polls until `ready` returns something truthy, and returns it; throws with its output if it ends or takes too long.
   */
  async until<T>(ready: () => T | Promise<T>): Promise<NonNullable<T>> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const value = await Promise.resolve(ready()).catch(() => undefined);
      if (value) return value;
      const { exitCode, signalCode, pid } = this.#child;
      if (pid === undefined || exitCode !== null || signalCode !== null)
        throw new Error(`${this.#name} ended (${exitCode ?? signalCode ?? 'not started'}):\n${this.output}`);
      if (performance.now() > deadline)
        throw new Error(`${this.#name} is not ready after ${START_TIMEOUT_MS} ms:\n${this.output}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Sends a signal; SIGSTOP freezes it and SIGCONT thaws it. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Stops the server, and kills it if it has not ended after 10 s. */
  async stop(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(killer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Whether a URL answers a GET with a 2xx status. */
export async function answers(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}
