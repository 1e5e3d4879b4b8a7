import type { Duplex } from 'node:stream';
import type { DialFunction } from '../hooks.js';
import { checkFunction } from '../settings/checks.js';
import type { PgFields } from './read.js';

/** The stream of a factory, with the method that node-postgres calls. */
type UnconnectedStream = Duplex & { connect(port: number, host: string): unknown };

/** The driver's `stream`, a function that makes a stream which the driver connects; undefined when it is not set. */
export function dialOf({ stream }: PgFields): DialFunction | undefined {
  checkFunction(stream ?? undefined, 'stream');
  return stream ? connecting(stream as unknown as () => UnconnectedStream) : undefined;
}

function connecting(make: () => UnconnectedStream): DialFunction {
  return ({ host, port }, { signal }) =>
    new Promise((resolve, reject) => {
      const stream = make();
      const destroy = (): void => void stream.destroy();
      signal.addEventListener('abort', destroy);
      stream.once('connect', () => {
        signal.removeEventListener('abort', destroy);
        resolve(stream);
      });
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('the stream was closed before it was connected')));
      stream.connect(port, host);
    });
}
