import { Deadline } from '../deadline.js';
import type { DriverClient } from './driver.js';

const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);

/**
 * Asks the server for ReadyForQuery; `done` is called once, within `timeoutMs`. Not a query, so it is not instrumented.
 */
export function ping(client: DriverClient, timeoutMs: number, done: (alive: boolean) => void): void {
  const { connection } = client;
  const finish = (alive: boolean): void => {
    deadline.clear();
    connection.removeListener('readyForQuery', onReady);
    connection.removeListener('end', onEnd);
    done(alive);
  };
  const onReady = (): void => finish(true);
  const onEnd = (): void => finish(false);
  const deadline = new Deadline(timeoutMs, onEnd);
  connection.once('readyForQuery', onReady);
  connection.once('end', onEnd);
  connection.stream.write(SYNC);
}
