import { createSocket, type Socket } from 'node:dgram';
import dns from 'node:dns';
import { afterAll, beforeAll } from 'vitest';

/** The domain whose names this file's tests control; reserved for tests. */
const DOMAIN = '.test';
const TYPE_A = 1;

/** A name server, and a process that asks it: the test decides what names of the domain `test` resolve to. */
export class Names {
  /** Cumulative: queries for the address of a name. */
  questions = 0;
  readonly #addresses = new Map<string, readonly string[]>();

  set(name: string, ...addresses: string[]): void {
    this.#addresses.set(name, addresses);
  }

  /** The answer to a query, in the format of RFC 1035. */
  answer(question: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
      labels.push(question.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const asked = question.subarray(12, at + 5);
    const addresses = this.#addresses.get(labels.join('.'));
    const known = addresses !== undefined && question.readUInt16BE(at + 1) === TYPE_A;
    if (known) this.questions += 1;
    const header = Buffer.alloc(12);
    question.copy(header, 0, 0, 2);
    // A response, recursion available; a name that was not set does not exist.
    header.writeUInt16BE(addresses === undefined ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(known ? addresses.length : 0, 6);
    if (!known) return Buffer.concat([header, asked]);
    // The queried name, type A, class IN, a TTL of 0 s, four bytes.
    const record = Buffer.from([0xc0, 0x0c, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4]);
    const records = addresses.flatMap((address) => [record, Buffer.from(address.split('.').map(Number))]);
    return Buffer.concat([header, asked, ...records]);
  }
}

/** Runs a name server for the calling file's tests and makes this process ask it for names of the domain `test`. */
export function useNames(): Names {
  const names = new Names();
  const { lookup } = dns;
  const resolver = new dns.promises.Resolver();
  let server: Socket | undefined;
  beforeAll(async () => {
    const socket = (server = createSocket('udp4'));
    socket.on('message', (question, { port, address }) => socket.send(names.answer(question), port, address));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    resolver.setServers([`127.0.0.1:${socket.address().port}`]);
    // Sockets call `dns.lookup`; pointing the system's own resolver at another server would need root.
    dns.lookup = ((name: string, options: { all?: boolean }, done: (...args: unknown[]) => void) => {
      if (!name.endsWith(DOMAIN)) {
        (lookup as (...args: unknown[]) => void)(name, options, done);
        return;
      }
      resolver.resolve4(name).then(
        (found) =>
          options.all === true
            ? done(
                null,
                found.map((address) => ({ address, family: 4 })),
              )
            : done(null, found[0], 4),
        done,
      );
    }) as typeof dns.lookup;
  });
  afterAll(() => {
    dns.lookup = lookup;
    server?.close();
  });
  return names;
}
