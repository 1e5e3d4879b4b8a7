import { getDefaultAutoSelectFamilyAttemptTimeout, type Socket } from 'node:net';
import { LATE_MS } from '../deadline.js';

/**
 * Calls back when a socket gives up an address of its host because the event loop stalled. Node gives each address but
 * the last 250 ms, and then goes on to the next without checking whether that one has connected meanwhile.
 */
export function whenAddressHeldUp(socket: Socket, heldUp: () => void): void {
  let triedAt = 0;
  const onAttempt = (): void => {
    triedAt = performance.now();
  };
  const onTimeout = (): void => {
    if (performance.now() - triedAt > getDefaultAutoSelectFamilyAttemptTimeout() + LATE_MS) heldUp();
  };
  socket.on('connectionAttempt', onAttempt).on('connectionAttemptTimeout', onTimeout);
  socket.once('connect', () => {
    socket.off('connectionAttempt', onAttempt).off('connectionAttemptTimeout', onTimeout);
  });
}
