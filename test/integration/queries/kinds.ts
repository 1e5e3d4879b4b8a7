import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg, { type PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';

/** What may stop a query. */
export interface Limits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** A way to run a query. */
export interface Kind {
  readonly name: string;
  /** A text that succeeds, one that fails, and one that the server does not answer within a test. */
  readonly text: Readonly<Record<'ok' | 'error' | 'slow', string>>;
  readonly summary: Readonly<Record<'ok' | 'error' | 'slow', string>>;
  /** How many rows `ok` returns, if that is known. */
  readonly rows: number | undefined;
  /** Whether time limits apply. */
  readonly hasTimeLimit: boolean;
  /** Whether the span contains the text, because the values are separate from it. */
  readonly parameterized: boolean;
  /** Runs a text to its end; rejects if it fails. */
  run(client: PoolClient, text: string, limits: Limits): Promise<unknown>;
}

/** Creates the objects that the kinds' texts use. */
export const SCHEMA = `
  CREATE TABLE items (n int);
  INSERT INTO items VALUES (1), (2), (3);
  CREATE TABLE copied (n int)`;

const TEXT = {
  ok: 'SELECT n FROM items',
  error: 'SELECT 1 / (n - n) FROM items',
  slow: 'SELECT pg_sleep(60) FROM items',
};
const SUMMARY = { ok: 'SELECT items', error: 'SELECT items', slow: 'SELECT items' };
const ordinary = {
  ...{ text: TEXT, summary: SUMMARY, rows: 3, hasTimeLimit: true, parameterized: false },
} as const;
const submitted = { ...ordinary, hasTimeLimit: false } as const;
const each = (of: typeof TEXT, make: (text: string) => string): typeof TEXT => ({
  ok: make(of.ok),
  error: make(of.error),
  slow: make(of.slow),
});
const hasLimits = (limits: Limits): boolean => Object.keys(limits).length > 0;
const discard = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** Every kind of query. */
export const KINDS: readonly Kind[] = [
  {
    ...ordinary,
    name: 'a text',
    run: (client, text, limits) => client.query(hasLimits(limits) ? { text, ...limits } : text),
  },
  {
    ...ordinary,
    name: 'values',
    parameterized: true,
    text: each(TEXT, (text) => `${text} WHERE n > $1`),
    run: (client, text, limits) =>
      hasLimits(limits) ? client.query({ text, values: [0], ...limits }) : client.query(text, [0]),
  },
  {
    ...ordinary,
    name: 'a named statement',
    parameterized: true,
    run: (client, text, limits) => client.query({ name: `of ${text}`, text, ...limits }),
  },
  {
    ...ordinary,
    name: 'a callback',
    run: (client, text, limits) =>
      new Promise((resolve, reject) => {
        client.query({ text, ...limits }, (error: Error | undefined, result) => {
          if (error) reject(error);
          else resolve(result);
        });
      }),
  },
  {
    ...ordinary,
    name: 'rows as arrays',
    run: (client, text, limits) => client.query({ text, rowMode: 'array', ...limits }),
  },
  {
    ...ordinary,
    name: 'several statements',
    text: each(TEXT, (text) => `${text}; SELECT 7 AS seven`),
    summary: each(SUMMARY, (summary) => `${summary} SELECT`),
    rows: 4,
    run: (client, text, limits) => client.query({ text, ...limits }),
  },
  {
    ...ordinary,
    name: 'a change',
    text: {
      ok: 'UPDATE items SET n = n',
      error: 'UPDATE items SET n = 1 / (n - n)',
      slow: 'UPDATE items SET n = n WHERE pg_sleep(60) IS NOT NULL',
    },
    summary: { ok: 'UPDATE items', error: 'UPDATE items', slow: 'UPDATE items' },
    rows: 0,
    run: (client, text, limits) => client.query({ text, ...limits }),
  },
  {
    ...submitted,
    name: 'a pg.Query',
    run: async (client, text, { signal }) => {
      const query = new pg.Query(text);
      client.query(Object.assign(query, signal && { signal }) as never);
      await once(query, 'end');
    },
  },
  {
    ...submitted,
    name: 'a cursor',
    rows: 2,
    parameterized: true,
    text: each(TEXT, (text) => `${text} WHERE n > $1`),
    run: async (client, text, { signal }) => {
      const cursor = new Cursor(text, [0]);
      client.query(Object.assign(cursor, signal && { signal }));
      await cursor.read(2);
      await cursor.close();
    },
  },
  {
    ...submitted,
    name: 'a stream of rows',
    parameterized: true,
    text: each(TEXT, (text) => `${text} WHERE n > $1`),
    run: (client, text, { signal }) => {
      const stream = new QueryStream(text, [0]);
      return pipeline(client.query(Object.assign(stream, signal && { signal })), objects());
    },
  },
  {
    ...submitted,
    name: 'COPY to the client',
    text: each(TEXT, (text) => `COPY (${text}) TO STDOUT`),
    summary: each(SUMMARY, (summary) => `COPY ${summary}`),
    rows: undefined,
    run: (client, text, { signal }) =>
      pipeline(client.query(Object.assign(copyTo(text), signal && { signal })), discard()),
  },
  {
    ...submitted,
    name: 'COPY from the client',
    text: {
      ok: 'COPY copied FROM STDIN',
      error: 'COPY missing FROM STDIN',
      // The test never ends this stream.
      slow: 'COPY copied (n) FROM STDIN',
    },
    summary: { ok: 'COPY copied', error: 'COPY missing', slow: 'COPY copied' },
    rows: undefined,
    run: (client, text, { signal }) => {
      const sink = client.query(Object.assign(copyFrom(text), signal && { signal }));
      const source = new Readable({ read: () => undefined });
      source.push('1\n2\n');
      if (text !== 'COPY copied (n) FROM STDIN') source.push(null);
      return pipeline(source, sink);
    },
  },
];

function objects(): Writable {
  return new Writable({ objectMode: true, write: (_row, _encoding, done) => done() });
}
