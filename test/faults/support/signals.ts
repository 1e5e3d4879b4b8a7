import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { LocalPostgres } from '../../../local-rds/postgres.js';
import { signal } from '../../../local-rds/processes.js';
import { until } from '../../support/until.js';
import { accepts } from '../../support/listening.js';

/** Stops a process as if its machine hung; returns a function that resumes it, which the end of the test does too. */
export function freeze(pid: number): () => void {
  signal(pid, 'SIGSTOP');
  const thaw = (): void => signal(pid, 'SIGCONT');
  onTestFinished(thaw);
  return thaw;
}

/** Stops the process that accepts new connections; open ones are still served. */
export function freezeListener({ pid }: LocalPostgres): () => void {
  if (pid === undefined) throw new Error('the server is down');
  return freeze(pid);
}

/** How long a handshake on loopback may take before it counts as dropped, in milliseconds. */
const DROPPED_MS = 300;

/**
 * Freezes the server and fills the queue of its listening socket, so that the system drops every further SYN;
 * returns a function that ends that.
 */
export async function dropSyns(server: LocalPostgres): Promise<() => Promise<void>> {
  const thaw = freezeListener(server);
  const queue: Socket[] = [];
  const clear = async (): Promise<void> => {
    for (const socket of queue) socket.destroy();
    thaw();
    await until('the queue is served', () => accepts(server));
  };
  onTestFinished(clear);
  for (;;) {
    const socket = connect(server.port, server.host);
    socket.on('error', () => undefined);
    queue.push(socket);
    const joined = new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)));
    if (!(await Promise.race([joined, sleep(DROPPED_MS, false)]))) return clear;
    if (queue.length > 5_000) throw new Error('the queue of the listening socket does not fill');
  }
}
