import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CredentialStore, type AccessKey } from '../credentials.js';
import { startSecretsManager, type SecretsManager } from '../secrets-manager.js';

const REGION = 'eu-central-1';
const store = new CredentialStore();
let service: SecretsManager;

beforeEach(async () => {
  service = await startSecretsManager({ credentials: store });
  for (const [name, value] of Object.entries(service.env)) vi.stubEnv(name, value);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await service.stop();
});

async function read(SecretId: string, credentials: AccessKey = store.current, region = REGION) {
  const client = new SecretsManagerClient({ region, credentials: { ...credentials }, maxAttempts: 1 });
  try {
    return await client.send(new GetSecretValueCommand({ SecretId }));
  } finally {
    client.destroy();
  }
}

/** A request recorded from the SDK, to be sent again with changes. */
async function recorded(): Promise<{ headers: Record<string, string>; body: string }> {
  let sent: { headers: Record<string, string>; body: string } | undefined;
  const client = new SecretsManagerClient({ region: REGION, credentials: { ...store.current } });
  client.middlewareStack.add(
    (next) => async (args) => {
      const { headers, body } = args.request as { headers: Record<string, string>; body: string };
      sent = { headers: { ...headers }, body };
      return await next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await client.send(new GetSecretValueCommand({ SecretId: 'app' }));
  client.destroy();
  if (sent === undefined) throw new Error('nothing was sent');
  return sent;
}

async function send(headers: Record<string, string>, body: string): Promise<string> {
  const { host, 'content-length': length, ...others } = headers;
  expect([host, length]).toEqual([new URL(service.endpoint).host, expect.any(String)]);
  const answer = await fetch(`${service.endpoint}/`, { method: 'POST', headers: others, body });
  const said = (await answer.json()) as { message?: string };
  return said.message ?? 'ok';
}

describe('Secrets Manager', () => {
  it('returns the current value of a secret to the AWS SDK, by name and by ARN', async () => {
    const arn = service.put('app', { username: 'a' });
    expect(await read('app')).toMatchObject({ Name: 'app', ARN: arn, SecretString: '{"username":"a"}' });
    service.put('app', Buffer.from([1, 2]));
    const { SecretBinary, SecretString } = await read(arn, store.issueTemporary());
    expect([Buffer.from(SecretBinary ?? []), SecretString]).toEqual([Buffer.from([1, 2]), undefined]);
    expect(service.reads).toBe(2);
  });

  it.each<[string, string, () => Promise<unknown>]>([
    ['an unknown secret', 'ResourceNotFoundException', () => read('other')],
    ['an unknown key', 'UnrecognizedClientException', () => read('app', new CredentialStore().current)],
    ['another region', 'InvalidSignatureException', () => read('app', undefined, 'us-east-1')],
    [
      'another secret key',
      'InvalidSignatureException',
      () => read('app', { ...store.current, secretAccessKey: 'x' }),
    ],
  ])('refuses %s', async (_, name, call) => {
    service.put('app', 'x');
    await expect(call()).rejects.toMatchObject({ name });
  });

  it('refuses a request that was modified after it was signed', async () => {
    service.put('app', 'x');
    const { headers, body } = await recorded();
    expect(await send(headers, body)).toBe('ok');
    expect(await send(headers, body.replace('app', 'apq'))).toBe('wrong signature');
    const changed = { ...headers, 'x-amz-target': 'secretsmanager.PutSecretValue' };
    expect(await send(changed, body)).toBe('wrong signature');
    expect(await send({ ...headers, 'x-amz-more': '1' }, body)).toBe('a header that must be signed is not');
    expect(await send({ ...headers, 'x-amz-date': '20200101T000000Z' }, body)).toBe(
      'scope of another day than the date',
    );
    const { authorization = '', ...unsigned } = headers;
    expect(await send(unsigned, body)).toBe('not signed');
    const other = authorization.replace('/secretsmanager/', '/sts/');
    expect(await send({ ...headers, authorization: other }, body)).toBe('signed for another service');
  });
});
