import fc from 'fast-check';
import { newPool, type PoolOptions } from '../../../src/index.js';
import { FakeServer, type FakeSession } from '../../support/fake-server.js';
import { hold, junk, outcome, SECRET, SILENT } from './target.js';

/** The deadline of an attempt whose hook never ends, and that of any other, in milliseconds. */
export const HANGING_MS = 30;
const WORKING_MS = 12_000;
/** A return value that never settles. */
export const NEVER = { then: () => undefined };

/** What a hook may return. */
export const returned = fc.oneof(
  junk,
  fc.constant({ then: (done: () => void) => done() }),
  fc.constant(NEVER),
);
/** What a hook may throw. */
export const thrown = fc.oneof(junk, fc.constant(new TypeError('the hook is wrong')));

/** Makes one attempt on a separate pool, whose server records the bytes it receives. */
export async function connectOnce(fake: FakeServer, options: PoolOptions, ssl = false) {
  fake.sessions = [];
  const pool = await newPool(
    {
      host: fake.host,
      port: fake.port,
      user: 'user',
      password: SECRET,
      database: 'database',
      sslMode: ssl ? 'require' : 'disable',
    },
    { connectTimeoutMs: WORKING_MS, logger: SILENT, ...options },
  );
  const got = await outcome(() => pool.connect());
  if ('value' in got) got.value.release();
  hold(pool.totalCount === ('value' in got ? 1 : 0), 'a failed attempt is still counted', got);
  const ended = await outcome(() => pool.end());
  hold('value' in ended, 'end() failed', ended);
  // Include connections that are still on their way.
  await fake.dialled();
  const { sessions } = fake;
  return { got, sessions };
}

export async function listening(reply: FakeServer['reply']): Promise<FakeServer> {
  const fake = new FakeServer();
  await fake.listen();
  fake.reply = reply;
  return fake;
}

/** Expects that an attempt that was refused before it dialled opened no session. */
export function expectNothingSent(sessions: readonly FakeSession[]): void {
  hold(
    sessions.length === 0,
    'bytes were sent',
    sessions.map(({ received }) => received.toString('latin1')),
  );
}

/** Whether the error wraps a thrown value that is not an error with a message, as its cause. */
export function isStandIn(error: unknown, own: unknown): boolean {
  return error instanceof Error && Object.is(error.cause, own) && error.message.startsWith('a hook threw');
}
