import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { RequestCode } from '../../../local-rds/wire.js';
import { errorClass } from '../../support/error-class.js';
import { connectOnce, HANGING_MS, isStandIn, listening, NEVER, returned, thrown } from './one-attempt.js';
import { expectClear, expectNoSecret, hold, junk, type Target } from './target.js';

/** AuthenticationOk and ReadyForQuery. */
const READY = Buffer.concat([
  Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]),
  Buffer.from([0x5a, 0, 0, 0, 5, 0x49]),
]);

/** `afterConnect` hooks that return anything, throw anything, or leave the client in any state. */
export async function afterConnects(): Promise<Target> {
  const fake = await listening(({ socket, received }, piece) => {
    if (piece.length === 0) return;
    if (
      received.length === piece.length &&
      received.length > 8 &&
      received.readInt32BE(4) !== RequestCode.ssl
    )
      socket.write(READY);
  });
  return {
    name: 'afterConnect: return values, throws',
    share: 3,
    input: fc.record({
      returns: returned,
      throws: fc.option(thrown, { nil: undefined }),
      late: fc.boolean(),
      property: fc.constantFrom('release', 'foo', 'query', undefined),
      value: junk,
    }),
    close: () => fake.close(),
    async attempt(input) {
      const { returns, throws, late, property, value } = input as {
        returns: unknown;
        throws: unknown;
        late: boolean;
        property: string | undefined;
        value: unknown;
      };
      const seen = { threw: false };
      const hook = (client: object): unknown => {
        if (property !== undefined) Object.assign(client, { [property]: value });
        if (throws === undefined) return returns;
        seen.threw = true;
        if (late) return sleep(0).then(() => Promise.reject(throws as Error));
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- hooks may throw any value
        throw throws;
      };
      const { got } = await connectOnce(fake, {
        afterConnect: hook as never,
        ...(returns === NEVER && { connectTimeoutMs: HANGING_MS }),
      });
      if ('value' in got) {
        hold(!seen.threw, 'what the hook threw was swallowed', throws);
        return;
      }
      expectNoSecret(got.error);
      if (seen.threw && isStandIn(got.error, throws)) return;
      const own = [throws];
      // A promise or thenable that rejects does so with its own error.
      if (!seen.threw && errorClass(got.error) !== 'ERR_PGAUGE_CONNECT_TIMEOUT') own.push(got.error);
      expectClear(got.error, own);
    },
  };
}
