import { getDefaultAutoSelectFamilyAttemptTimeout, type Socket } from 'node:net';
import { LATE_MS } from '../deadline.js';

/**
 * Calls back when a socket gives up an address of its host because the event loop stood still. Node lets each address but the
 * last have 250 ms, and goes on to the next without looking whether that one has been reached meanwhile.
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
