import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readFirstMessage, readPassword } from '../wire.js';

function startup(): Buffer {
  const body = Buffer.from('user\0somebody\0\0');
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, body]);
}

it('the wire reader reads a startup message that arrives byte by byte', async () => {
  const stream = new PassThrough();
  const message = readFirstMessage(stream);
  for (const byte of startup()) {
    stream.write(Buffer.from([byte]));
    // A reader that blocks the event loop would hang here.
    await turn();
  }
  expect((await message)?.bytes).toEqual(startup());
});

it('the wire reader leaves the bytes after a message in the stream', async () => {
  const stream = new PassThrough();
  stream.write(Buffer.concat([startup(), Buffer.from([0x70, 0, 0, 0, 7]), Buffer.from('pw\0')]));
  expect((await readFirstMessage(stream))?.bytes).toEqual(startup());
  expect(await readPassword(stream)).toBe('pw');
});

it('the wire reader gives up on a message that never ends', async () => {
  const stream = new PassThrough();
  stream.end(startup().subarray(0, 12));
  expect(await readFirstMessage(stream)).toBeUndefined();
});
