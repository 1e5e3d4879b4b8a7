import type { Duplex } from 'node:stream';

/** Request codes, sent in place of the protocol version of a startup message. */
export const RequestCode = { cancel: 80877102, ssl: 80877103, gssEncryption: 80877104 } as const;

// PostgreSQL's limits: MAX_STARTUP_PACKET_LENGTH, and that of an authentication message.
const MAX_STARTUP_BYTES = 10_000;
const MAX_PASSWORD_BYTES = 65_535;

/** A message of the start-up phase as received, with its code or protocol version. */
export interface FirstMessage {
  readonly code: number;
  readonly bytes: Buffer;
}

/** Reads one start-up message; `undefined` if the stream ends or the bytes are not a start-up message. */
export async function readFirstMessage(socket: Duplex): Promise<FirstMessage | undefined> {
  const header = await readBytes(socket, 8);
  const length = header?.readInt32BE(0) ?? 0;
  if (!header || length < 8 || length > MAX_STARTUP_BYTES) return undefined;
  const body = length === 8 ? Buffer.alloc(0) : await readBytes(socket, length - 8);
  return body && { code: header.readInt32BE(4), bytes: Buffer.concat([header, body]) };
}

/** The first byte of a TLS handshake record; a start-up message with this first byte would exceed the limit. */
const TLS_HANDSHAKE = 0x16;

/** Whether a client begins TLS without a request; the bytes stay in the stream. */
export async function beginsTls(socket: Duplex): Promise<boolean> {
  const first = await readBytes(socket, 1);
  if (first) socket.unshift(first);
  return first?.[0] === TLS_HANDSHAKE;
}

/** Reads one password message; `undefined` if the stream ends or the bytes are not a password message. */
export async function readPassword(socket: Duplex): Promise<string | undefined> {
  const header = await readBytes(socket, 5);
  const length = header?.readInt32BE(1) ?? 0;
  if (header?.[0] !== 0x70 || length < 5 || length > MAX_PASSWORD_BYTES) return undefined;
  const body = await readBytes(socket, length - 4);
  const end = body?.indexOf(0);
  return body && end === body.length - 1 ? body.subarray(0, end).toString('utf8') : undefined;
}

/** The parameters of a startup message by name; `undefined` if it is malformed. */
export function startupParameters({ bytes }: FirstMessage): Map<string, string> | undefined {
  const strings = bytes.subarray(8).toString('utf8').split('\0');
  // The pairs, the empty name that ends them, and the empty string after its NUL.
  if (strings.length % 2 !== 0 || strings.pop() !== '' || strings.pop() !== '') return undefined;
  const parameters = new Map<string, string>();
  for (let index = 0; index + 1 < strings.length; index += 2) {
    const [name, value] = strings.slice(index, index + 2);
    if (!name || value === undefined) return undefined;
    parameters.set(name, value);
  }
  return parameters;
}

/** An ErrorResponse of severity FATAL. */
export function fatal(code: string, message: string): Buffer {
  const fields = `SFATAL\0VFATAL\0C${code}\0M${message}\0\0`;
  const header = Buffer.from('E\0\0\0\0', 'latin1');
  header.writeInt32BE(4 + Buffer.byteLength(fields), 1);
  return Buffer.concat([header, Buffer.from(fields)]);
}

/** AuthenticationCleartextPassword. */
export const CLEARTEXT_PASSWORD_REQUEST = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** Reads exactly `count` bytes and leaves the rest in the stream; `undefined` if the stream ends first. */
async function readBytes(socket: Duplex, count: number): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let missing = count;
  for (;;) {
    // Read piecemeal: a stream with some bytes but too few would be readable again immediately, in an endless loop.
    const piece = socket.read(Math.min(missing, socket.readableLength)) as Buffer | null;
    if (piece) {
      pieces.push(piece);
      missing -= piece.length;
      if (missing === 0) return Buffer.concat(pieces);
      continue;
    }
    if (socket.readableEnded || socket.destroyed) return undefined;
    await new Promise<void>((resolve) => {
      const events = ['readable', 'end', 'close'] as const;
      const done = (): void => {
        for (const event of events) socket.off(event, done);
        resolve();
      };
      for (const event of events) socket.on(event, done);
    });
  }
}
