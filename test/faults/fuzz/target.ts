import { inspect } from 'node:util';
import fc from 'fast-check';
import { PgaugeError } from '../../../src/index.js';
import { property } from '../../../src/foreign-error.js';
import { causes } from '../../support/errors.js';

/** Code under test that takes untrusted inputs. */
export interface Target<T = unknown> {
  readonly name: string;
  /** Its share of 100 cases. */
  readonly share: number;
  readonly input: fc.Arbitrary<T>;
  /** Tries one input; throws if the result is not allowed. */
  attempt(input: T): Promise<void>;
  close?(): void | Promise<void>;
}

/** The text that no error may contain. */
export const SECRET = 'hunter2-7Qx!';
/** The error that a hostile input throws; it may surface unchanged. */
export const OWN = new Error('thrown by the input');

const HANGS_AFTER_MS = 15_000;

const hostile = new Proxy(
  {},
  {
    get() {
      throw OWN;
    },
    ownKeys() {
      throw OWN;
    },
  },
);

/** Any value at all; odd ones are more frequent. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withTypedArray: true,
    withSparseArray: true,
    withObjectString: true,
  }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom<unknown>(
    ...[
      undefined,
      null,
      NaN,
      Infinity,
      -1,
      0,
      1.5,
      2 ** 31,
      1n,
      '',
      ' ',
      '\0',
      '\r\n',
      '\ud800',
      '__proto__',
    ],
    ...[
      Symbol('x'),
      () => 1,
      [],
      {},
      Object.create(null),
      [undefined],
      hostile,
      { toString: null },
      new Date(NaN),
    ],
    ...[Promise.resolve(1), /x/, new Map()],
  ),
);

/** Mostly this value, sometimes any other. */
export function mostly<T>(valid: fc.Arbitrary<T>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 7, arbitrary: valid }, { weight: 1, arbitrary: junk });
}

/** A record of which any field may be missing or have any value, sometimes with additional fields. */
export function shaky(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const record = fc.record(
    Object.fromEntries(Object.entries(fields).map(([key, valid]) => [key, mostly(valid)])),
    {
      requiredKeys: [],
    },
  );
  const more = fc
    .tuple(record, fc.dictionary(fc.string(), junk, { maxKeys: 2 }))
    .map(([own, others]) => ({ ...others, ...own }));
  return fc.oneof(
    { weight: 8, arbitrary: record },
    { weight: 1, arbitrary: more },
    { weight: 1, arbitrary: junk },
  );
}

/** The result or error of a call, synchronous or not; throws if it hangs. */
export async function outcome<T>(call: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs for ${HANGS_AFTER_MS} ms`)), HANGS_AFTER_MS);
  });
  const tried = (async () => call())().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  try {
    return await Promise.race([tried, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws unless an error is one of ours, or the very object that the caller threw, and contains no secret. */
export function expectClear(error: unknown, own: readonly unknown[] = []): void {
  expectNoSecret(error);
  if (error === OWN || own.includes(error)) return;
  if (!(error instanceof PgaugeError)) throw new Error('not a clear error', { cause: error });
}

/** Throws if an error contains the secret anywhere. */
export function expectNoSecret(error: unknown, secret = SECRET): void {
  for (const one of causes(error)) {
    const texts = [
      property(one, 'message'),
      property(one, 'stack'),
      inspect(one, { depth: 8, showHidden: true }),
    ];
    for (const text of texts) {
      if (typeof text === 'string' && text.includes(secret))
        throw new Error('the secret is shown', { cause: error });
    }
  }
}

/** Throws with `what` if the condition is false. */
export function hold(condition: boolean, what: string, seen?: unknown): asserts condition {
  if (!condition) throw new Error(what, { cause: seen });
}

const noop = (): void => undefined;
export const SILENT = { debug: noop, info: noop, warn: noop };
