import type { Socket } from 'node:net';

/**
 * Resets a connection. One that is being ended is closed instead: libuv refuses to reset it (EINVAL), and Node would
 * leave it open forever.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
