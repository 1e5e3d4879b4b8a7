import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.js';
import type { LoadApp } from '../servers/load-app.js';
import type { Stack } from '../stack.js';
import { ofPool, type AlertFault } from './fault.js';

const ARRIVAL_MS = 60_000;
// When the server refuses the key that an application holds, the application fetches another one, at most once in 10 s;
// until then it would sign with the refused key, quickly and in vain.
const ROTATE_EVERY_MS = 12_000;
// Shorter than the 2 s after which a token is signed with the old key, and longer than the gap between most logins.
const SLOW_FETCH_MS = 1_800;
const LOGIN_EVERY_MS = 3_000;
const LAST_CREDENTIALS_S = 40;

/** Faults of a server that all applications share, so they run one at a time. */
export const SHARED_FAULTS: readonly AlertFault[] = [
  {
    what: 'a server that rejects every token',
    inject({ faults, app }) {
      faults.rejectLogins(true);
      return Promise.resolve({
        expected: ofPool(app.pool, 'PgaugeLoginsRejected'),
        end: () => {
          faults.rejectLogins(false);
        },
      });
    },
  },
  {
    what: `a signer whose credentials end in ${LAST_CREDENTIALS_S} s and are not renewed`,
    async inject(stack) {
      const { faults } = stack;
      const app = await stack.startApp({ pool: 'uncredentialed', clients: 2 });
      await app.load({ discard: 0.5, thinkMs: 200 });
      faults.credentialsEndIn(LAST_CREDENTIALS_S);
      await holdsLastCredentials(stack, app);
      faults.fetchFails(true);
      return {
        expected: [
          { alert: 'PgaugeCredentialsExpiring', labels: { instance: app.instance } },
          ...ofPool(app.pool, 'PgaugeTokenRefreshFailing'),
        ],
        end: () => faults.end(),
      };
    },
  },
  {
    what: 'a fleet that repeats refused logins at once',
    async inject({ rds, startApp }) {
      const app = await startApp({ pool: 'stampede', minConns: 0, maxConns: 40, clients: 1 });
      rds.gate.set({ refuse: true });
      await app.load({ clients: 40, discard: 1, thinkMs: 0 });
      return {
        expected: [
          // The alert counts connections per server address, because the limit of AWS does.
          ...['warning', 'critical'].map((severity) => ({
            ...{ alert: 'PgaugeIamConnectRateHigh', labels: { server_port: String(rds.port), severity } },
          })),
          ...ofPool(app.pool, 'PgaugeServerUnreachable'),
        ],
        end: async () => {
          await app.load({ clients: 1, discard: 0, thinkMs: 50 });
          rds.gate.set({ refuse: false });
        },
      };
    },
  },
  {
    what: 'a credential endpoint that is slow while keys are rotated',
    async inject({ faults, startApp }) {
      const app = await startApp({ pool: 'slow-tokens', clients: 4 });
      await app.load({ discard: 1, thinkMs: LOGIN_EVERY_MS });
      faults.fetchTakes(SLOW_FETCH_MS);
      const ended = new AbortController();
      const rotation = rotate(() => faults.revokeKeys(), ended.signal);
      return {
        expected: ofPool(app.pool, 'PgaugeTokenRefreshSlow'),
        end: async () => {
          ended.abort();
          await rotation;
          faults.fetchTakes(0);
        },
      };
    },
  },
];

async function holdsLastCredentials({ prometheus: { api } }: Stack, { instance }: LoadApp): Promise<void> {
  const leftS = `min(pgauge_auth_credentials_expiration_seconds{instance="${instance}"} > 0) - time()`;
  await until(
    `credentials of ${instance} that end soon`,
    async () => ((await api.number(leftS)) ?? Infinity) <= LAST_CREDENTIALS_S,
    ARRIVAL_MS,
  );
}

async function rotate(revoke: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    revoke();
    await sleep(ROTATE_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
