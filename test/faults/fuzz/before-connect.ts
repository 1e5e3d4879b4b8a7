import fc from 'fast-check';
import type { BeforeConnect, ConnectTarget } from '../../../src/index.js';
import { fatal, startupParameters } from '../../../local-rds/wire.js';
import { errorClass } from '../../support/error-class.js';
import { SSL_REQUEST, type FakeSession } from '../../support/fake-server.js';
import {
  connectOnce,
  expectNothingSent,
  HANGING_MS,
  isStandIn,
  listening,
  NEVER,
  returned,
  thrown,
} from './one-attempt.js';
import { expectClear, expectNoSecret, hold, mostly, SECRET, type Target } from './target.js';

/** The driver's fields in every startup message of these attempts. */
const STARTUP_KEYS = ['client_encoding', 'database', 'user'];

const good = fc.constantFrom('app', 'ünï cödé', "it's", 'a=b');

type Change = readonly [keyof ConnectTarget | 'other', unknown, 'set' | 'delete'];

/** `beforeConnect` hooks that change the target arbitrarily, return anything or throw anything. */
export async function beforeConnects(): Promise<Target> {
  const fake = await listening(({ socket, received }, piece) => {
    if (piece.equals(SSL_REQUEST)) socket.write('N');
    else if (received.length > 0) socket.end(fatal('57P03', 'starting up'));
  });
  const change = fc.tuple(
    fc.constantFrom('host', 'port', 'user', 'password', 'database', 'ssl', 'other'),
    fc.oneof(
      mostly(good),
      fc.constantFrom<unknown>(fake.host, fake.port, false, `${SECRET}\n`, { ca: SECRET }, { servername: 5 }),
    ),
    fc.constantFrom('set', 'set', 'set', 'delete'),
  ) as fc.Arbitrary<Change>;
  return {
    name: 'beforeConnect: changes, return values, throws',
    share: 5,
    input: fc.record({
      changes: fc.array(change, { maxLength: 3 }),
      freeze: fc.boolean(),
      returns: returned,
      throws: fc.option(thrown, { nil: undefined }),
      tls: fc.boolean(),
    }),
    close: () => fake.close(),
    async attempt(input) {
      const { changes, freeze, returns, throws, tls } = input as {
        changes: Change[];
        freeze: boolean;
        returns: unknown;
        throws: unknown;
        tls: boolean;
      };
      let own: unknown;
      let final: ConnectTarget | undefined;
      const hook = (target: ConnectTarget): unknown => {
        final = target;
        try {
          for (const [key, value, how] of changes) {
            // A host name would be looked up outside of the test.
            if (
              key === 'host' &&
              typeof value === 'string' &&
              /^[^\s@/?#,:[\]\p{Cc}\p{Cs}]+$/u.test(value) &&
              value !== fake.host
            )
              continue;
            if (key === 'port' && typeof value === 'number' && value !== fake.port && value > 0) continue;
            if (how === 'delete') Reflect.deleteProperty(target, key);
            else Object.assign(target, { [key]: value });
          }
          if (freeze) Object.freeze(target);
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- hooks may throw any value
          if (throws !== undefined) throw throws;
        } catch (error) {
          own = error;
          throw error;
        }
        return returns;
      };
      const { got, sessions } = await connectOnce(
        fake,
        { beforeConnect: hook as BeforeConnect, ...(returns === NEVER && { connectTimeoutMs: HANGING_MS }) },
        tls,
      );
      hold('error' in got, 'the server takes nobody', got);
      const { error } = got;
      expectNoSecret(error);
      if (own !== undefined && (error === own || isStandIn(error, own))) {
        expectNothingSent(sessions);
        return;
      }
      const code = errorClass(error);
      const ssl = final?.ssl;
      // Node's error about TLS options that the hook set.
      const ofNode =
        typeof ssl === 'object' && /^ERR_/.test(String((error as { code?: unknown } | undefined)?.code));
      if (!(
        code === '57P03' ||
        code === 'ERR_PGAUGE_CONNECT_TIMEOUT' ||
        ofNode ||
        /SSL/.test((error as Error).message)
      )) {
        expectClear(error, [own]);
        expectNothingSent(sessions);
      }
      for (const session of sessions) expectStartup(session, final);
    },
  };
}

/** Expects that the bytes sent are an SSLRequest, or a startup message with user and database and nothing else. */
function expectStartup({ received }: FakeSession, final: ConnectTarget | undefined): void {
  const sent = received.subarray(0, 8).equals(SSL_REQUEST) ? received.subarray(8) : received;
  if (sent.length === 0) return;
  const parameters = startupParameters({
    code: sent.readInt32BE(4),
    bytes: sent.subarray(0, sent.readInt32BE(0)),
  });
  hold(parameters !== undefined, 'a malformed startup message', sent.toString('latin1'));
  hold(
    [...parameters.keys()].sort().join() === STARTUP_KEYS.join(),
    'other parameters in the startup message',
    [...parameters.keys()],
  );
  hold(
    parameters.get('user') === final?.user && parameters.get('database') === final?.database,
    'another login than the hook asked for',
    [...parameters],
  );
  hold(!sent.includes(SECRET), 'a password was sent to a server that asked for none');
}
