import { startGcpMetadata, type HttpFault } from '../../../local-rds/index.js';
import { setEnv } from '../environment.js';
import type { BackendCase, SourceFault } from './backend-case.js';

const TOKEN = 'GET /computeMetadata/v1/instance/service-accounts/default/token';
const HOUR_MS = 3_600_000;

const FAULTS: Readonly<Partial<Record<SourceFault, HttpFault>>> = {
  down: { reset: true },
  hang: { hang: true },
  late: { delayMs: 3_000 },
  empty: { body: '' },
  'no text': { body: '{"access_token":{"canary":1},"expires_in":3599}' },
  html: { body: '<html>canary</html>' },
  binary: { body: '\u0000\u0001canary\r\n' },
  huge: { body: 'canary'.repeat(500_000) },
};

let made = 0;

/** Access tokens from Google Cloud's metadata server. */
export const gcpCase: BackendCase = {
  backend: 'gcpCloudSqlIam',
  fetches: true,
  faults: {
    down: /metadata server|timeout/,
    hang: /timeout/,
    late: /timeout/,
    empty: /metadata server: the answer could not be parsed$/,
    'no text': /metadata server: the answer holds no access token$/,
    html: /metadata server: the answer could not be parsed$/,
    binary: /metadata server: the answer could not be parsed$/,
    huge: /metadata server: the answer could not be parsed$/,
    expired: /the token expired at/,
    'of another user': 'rejected',
  },
  hint: /cloudsql\.iam_authentication .* roles\/cloudsql\.instanceUser$/,
  refusedSettings: [
    [{ product: 'mysql' }, '.product must be one of cloudsql, alloydb'],
    [{ product: 5 }, '.product must be one of cloudsql, alloydb'],
  ],
  packages: ['google-auth-library'],
  settings: {},

  async start(rds) {
    made += 1;
    const server = await startGcpMetadata({ email: `app-${made}@local.iam.gserviceaccount.com` });
    await rds.createUser(server.user, { verifier: server.verifier() });
    setEnv({ GCE_METADATA_HOST: server.host });
    return {
      user: server.user,
      dynamicAuth: { gcpCloudSqlIam: {} },
      set(fault) {
        server.set((fault && FAULTS[fault]) ?? {});
        server.setTokenLifetime(fault === 'expired' ? -HOUR_MS : HOUR_MS);
        server.lieAbout(fault === 'of another user' ? 'other@local.iam.gserviceaccount.com' : undefined);
      },
      rotate: () => server.rotate(),
      secrets: () => ['ya29.', ...server.issued],
      fetches: () => server.calls()[TOKEN] ?? 0,
      [Symbol.asyncDispose]: () => server.stop(),
    };
  },
};
