import { connect, createServer, type AddressInfo, type LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { withText } from '../../../src/connection/error-text.js';
import { errorText, failedPlaces } from '../../../src/foreign-error.js';

/** Node's own error for a name with two addresses, at a port where no server listens. */
async function refusedByBoth(): Promise<AggregateError & { code: string }> {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  return await new Promise((resolve) => {
    const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    const lookup: LookupFunction = (_host, _options, done) => done(null, addresses);
    connect({ host: 'db.test', port, lookup, autoSelectFamily: true }).on('error', (error) =>
      resolve(error as AggregateError & { code: string }),
    );
  });
}

describe('an error that leaves a connection attempt', () => {
  it('names every address and code of a host that has several', async () => {
    const error = await refusedByBoth();
    expect(error.message).toBe('');
    const { errors } = error;
    const [first, second] = errors as { port: number; message: string }[];
    expect(withText(error, 'tcp')).toBe(error);
    expect(error.message).toBe(`${first?.message}; ${second?.message}`);
    expect(error.message).toBe(
      `connect ECONNREFUSED 127.0.0.2:${first?.port}; connect ECONNREFUSED 127.0.0.1:${first?.port}`,
    );
    expect(error).toMatchObject({ name: 'AggregateError', code: 'ECONNREFUSED', errors });
    expect(error.stack).toContain(error.message);
    expect(Object.keys(error)).not.toContain('message');
    expect(failedPlaces(error)).toEqual([
      { place: `127.0.0.2:${first?.port}`, code: 'ECONNREFUSED' },
      { place: `127.0.0.1:${first?.port}`, code: 'ECONNREFUSED' },
    ]);
  });

  it.each([
    ['its own message', new Error('sealed'), 'sealed'],
    ['the message of its cause', new Error('', { cause: new Error('sealed') }), 'sealed'],
    [
      'its code and address',
      Object.assign(new Error(), { syscall: 'connect', code: 'EHOSTUNREACH', address: '::1', port: 1 }),
      'connect EHOSTUNREACH [::1]:1',
    ],
    [
      'the name that was looked up',
      Object.assign(new Error(' '), { syscall: 'getaddrinfo', code: 'ENOTFOUND', hostname: 'db.test' }),
      'getaddrinfo ENOTFOUND db.test',
    ],
    ['the step', new TypeError(), 'an error without a message (beforeConnect)'],
  ])('has as its message %s', (_title, error, text) => {
    expect(withText(error, 'hook')).toBe(error);
    expect(error.message).toBe(text);
  });

  it('that is frozen is not changed', () => {
    const frozen = Object.freeze(new Error(''));
    expect(withText(frozen, 'tls')).toBe(frozen);
  });

  it('that is not an Error but has a message is not changed', () => {
    const thrown = { message: 'sealed' };
    expect(withText(thrown, 'hook')).toBe(thrown);
  });

  it.each<[unknown, string]>([
    ['sealed', 'a hook threw "sealed" instead of an Error (afterConnect)'],
    ['', 'a hook threw an empty text instead of an Error (afterConnect)'],
    [undefined, 'a hook threw undefined instead of an Error (afterConnect)'],
    [0, 'a hook threw 0 instead of an Error (afterConnect)'],
    [Symbol('x'), 'a hook threw Symbol(x) instead of an Error (afterConnect)'],
    [{ status: 503 }, 'a hook threw an object instead of an Error (afterConnect)'],
    [Object.create(null), 'a hook threw an object instead of an Error (afterConnect)'],
  ])('wraps a thrown %j, which is its cause', (thrown, text) => {
    const error = withText(thrown, 'init') as Error;
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe(text);
    expect(error.cause).toBe(thrown);
  });
});

describe('the text of an error', () => {
  it('is found in errors that refer to themselves', () => {
    const circular = new AggregateError([]);
    circular.errors.push(circular, new Error('sealed'));
    expect(errorText(circular)).toBe('sealed');
    const own: Error = new Error('');
    own.cause = own;
    expect(errorText(own)).toBe('');
  });

  it('does not include an invalid address', () => {
    const odd = { code: 'x y', address: 'secret', port: 1, hostname: 'user:secret@host' };
    expect(failedPlaces(odd)).toEqual([]);
    expect(failedPlaces({ ...odd, code: 'ENOTFOUND' })).toEqual([]);
    expect(failedPlaces(null)).toEqual([]);
  });
});
