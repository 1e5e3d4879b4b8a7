import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { ConnectContext, ConnectTarget } from '../../../src/index.js';
import { CLEARTEXT_PASSWORD_REQUEST } from '../../../local-rds/wire.js';
import { SSL_REQUEST } from '../../support/fake-server.js';
import { connectOnce, expectNothingSent, isStandIn, listening } from './one-attempt.js';
import { expectClear, hold, junk, SECRET, type Target } from './target.js';

/** Tokens of any kind, refreshed by a hook, for a server that requests them in cleartext. */
export async function tokens(): Promise<Target> {
  const fake = await listening(({ socket, received }, piece) => {
    if (piece.equals(SSL_REQUEST)) socket.write('N');
    else if (received.length > 0) socket.write(CLEARTEXT_PASSWORD_REQUEST);
  });
  const token = fc.oneof(
    junk,
    fc.string({ unit: 'binary' }).map((text) => `${text}${SECRET}`),
    fc.constant(SECRET.repeat(200)),
  );
  return {
    name: 'tokens',
    share: 3,
    input: fc.record({ token, fails: fc.boolean(), waits: fc.boolean() }),
    close: () => fake.close(),
    async attempt(input) {
      const { token: any, fails, waits } = input as { token: unknown; fails: boolean; waits: boolean };
      const refresh = async (): Promise<string> => {
        if (waits) await sleep(0);
        if (fails) throw any;
        return any as string;
      };
      const beforeConnect = async (target: ConnectTarget, context: ConnectContext): Promise<void> => {
        target.password = await context.refreshToken({ provider: 'fuzz' }, refresh);
      };
      const { got, sessions } = await connectOnce(fake, { beforeConnect });
      hold('error' in got, 'logged in without having sent a password', got);
      const { error } = got;
      if (fails && (error === any || isStandIn(error, any))) {
        expectNothingSent(sessions);
        return;
      }
      expectClear(error);
      // A control character would end the field that contains the token.
      const usable = !fails && typeof any === 'string' && any !== '' && !/[\p{Cc}\p{Cs}]/u.test(any);
      if (!usable) {
        expectNothingSent(sessions);
        return;
      }
      hold(/token in clear/.test((error as Error).message), (error as Error).message);
      // The client answers the request for a password by closing the connection.
      for (const { received } of sessions)
        hold(received.length === received.readInt32BE(0), 'a token was sent in clear', received.length);
    },
  };
}
