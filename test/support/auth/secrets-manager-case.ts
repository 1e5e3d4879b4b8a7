import { startSecretsManager, type HttpFault, type SecretValue } from '../../../local-rds/index.js';
import { setEnv } from '../environment.js';
import type { BackendCase, SourceFault } from './backend-case.js';
import { createRotatingRole } from './role.js';

const SECRET = 'app/db';
const FAULTS: Readonly<Partial<Record<SourceFault, HttpFault>>> = {
  down: { status: 500, body: '{"message":"out of order"}' },
  hang: { hang: true },
  late: { delayMs: 3_000 },
  html: { body: '<html>canary</html>' },
};

/** A secret with the user and the password of a role. */
export const secretsManagerCase: BackendCase = {
  backend: 'awsSecretsManager',
  fetches: true,
  // One for the keys of the environment, one for the secret.
  fetchesPerLogin: 2,
  expires: false,
  faults: {
    down: /failed to read the secret app\/db: /,
    hang: /timeout/,
    late: /timeout/,
    empty: /failed to read the secret app\/db: its key password is empty$/,
    'no text': /failed to read the secret app\/db: its key password is not a text$/,
    html: /failed to read the secret app\/db: the answer could not be parsed$/,
    binary: /failed to read the secret app\/db: it is binary, and not a text$/,
    huge: /the token has 70002 bytes, and 65535 are possible$/,
    'of another user': 'rejected',
  },
  hint: /^the server rejected the login with the secret app\/db: /,
  refusedSettings: [
    [{}, '.secretId is required'],
    [{ secretId: 'a' }, '.region is required'],
    [{ secretId: 5, region: 'eu-central-1' }, '.secretId must be a string'],
    [{ secretId: 'a', region: 'Frankfurt' }, '.region must look like one, such as us-east-1'],
    [{ secretId: 'a', region: 'eu-central-1', usernameKey: '' }, '.usernameKey is required'],
    [{ secretId: 'a', region: 'eu-central-1', passwordKey: {} }, '.passwordKey must be a string'],
  ],
  packages: ['@aws-sdk/client-secrets-manager', '@aws-sdk/credential-providers'],
  settings: { secretId: SECRET, region: 'eu-central-1' },

  async start(rds) {
    const role = await createRotatingRole(rds);
    const service = await startSecretsManager({ credentials: rds.credentials, region: rds.region });
    setEnv({ ...rds.awsEnv, ...service.env });
    const put = (password = role.password, username = role.user): void =>
      void service.put(SECRET, { username, password });
    const values: Readonly<Partial<Record<SourceFault, () => void>>> = {
      empty: () => put(''),
      'no text': () =>
        void service.put(SECRET, JSON.stringify({ username: role.user, password: ['canary'] })),
      binary: () => void service.put(SECRET, Buffer.from('canary') satisfies SecretValue),
      huge: () => put('canary'.repeat(11_667)),
      'of another user': () => put(role.password, rds.postgres.user),
    };
    put();
    return {
      user: 'not this one',
      dynamicAuth: { awsSecretsManager: { secretId: SECRET, region: rds.region } },
      set(fault) {
        service.set((fault && FAULTS[fault]) ?? {});
        ((fault && values[fault]) ?? put)();
      },
      async rotate() {
        // Update the secret first: it is read again only once the old password is rejected.
        const rotated = role.rotate();
        put();
        await rotated;
      },
      secrets: () => [...role.passwords, rds.awsEnv.AWS_SECRET_ACCESS_KEY],
      fetches: () => service.reads,
      [Symbol.asyncDispose]: () => service.stop(),
    };
  },
};
