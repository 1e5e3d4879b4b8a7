import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

// It stops itself once it listens, so that no connection is accepted from the short queue.
const PROGRAM = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(String(server.address().port), () => process.kill(process.pid, 'SIGSTOP'));
  });`;

const PATIENCE_MS = 500;

/** A port on 127.0.0.1 whose queue is full, so that the system drops new connections; freed after the test. */
export async function dropsConnections(): Promise<number> {
  const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
  });
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    socket.on('error', () => undefined);
    sockets.push(socket);
    const connected = await Promise.race([once(socket, 'connect'), sleep(PATIENCE_MS)]);
    if (connected === undefined) return Number(port);
  }
  throw new Error('the queue of the port does not fill up: connections are still accepted');
}
