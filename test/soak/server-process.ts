import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Commands } from './server.js';

/** How long the server's process may take to do anything, in milliseconds. */
const ANSWER_MS = 90_000;

interface Answer {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The process that runs the server, as seen from the load's process. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', ({ id = 0, value, error }: Answer) => {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) asked?.resolve(value);
      else asked?.reject(new Error(`the server's process: ${error}`));
    });
    child.once('exit', (code) => {
      for (const { reject } of this.#asked.values())
        reject(new Error(`the server's process ended with ${String(code)}`));
    });
  }

  /** Resolves when all servers listen. */
  static async start(): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), { detached: false });
    const ready = once(child, 'message');
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the server's process ended with ${String(code)} before it was ready`);
    });
    await Promise.race([ready, ended]);
    ended.catch(() => undefined);
    return new ServerProcess(child);
  }

  /** Runs a command in the server's process. */
  ask<K extends keyof Commands>(
    name: K,
    ...args: Parameters<Commands[K]>
  ): Promise<Awaited<ReturnType<Commands[K]>>> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`the server's process did not answer within ${ANSWER_MS} ms: ${name}`));
      }, ANSWER_MS);
      this.#asked.set(id, {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value as Awaited<ReturnType<Commands[K]>>);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#child.send({ id, name, args });
    });
  }

  /** Ends the process and the servers it runs. */
  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_MS);
    await exited;
    clearTimeout(timer);
  }
}
