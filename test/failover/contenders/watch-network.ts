import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { tell } from './events.js';
import type { Place } from './place.js';

type Lookup = (hostname: string, options: object, callback: (...answer: unknown[]) => void) => void;

/** Reports each dial of this process, and resolves the name to the address that is in the file at that moment. */
export function watchNetwork({ name, addressFile }: Place): void {
  const connect = Socket.prototype.connect as (...given: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
    tell('dial');
    return connect.apply(this, given);
  };

  const lookup = dns.lookup as unknown as Lookup;
  const named: Lookup = (hostname, options, callback) => {
    if (hostname !== name) {
      lookup(hostname, options, callback);
      return;
    }
    const address = readFileSync(addressFile, 'utf8').trim();
    const answer = 'all' in options && options.all ? [[{ address, family: 4 }]] : [address, 4];
    process.nextTick(callback, null, ...answer);
  };
  dns.lookup = named as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
}
