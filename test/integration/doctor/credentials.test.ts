import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import type { Arguments } from '../../../src/doctor/arguments.js';
import { checkToken } from '../../../src/doctor/checks/token.js';
import { Session } from '../../../src/doctor/session.js';
import { settingsOf } from '../../../src/doctor/settings.js';
import { useLocalRds } from '../../support/servers.js';
import { CANARY, diagnosesOf } from './diagnose-rds.js';
import { emptyHome, expectFailure, expectWarning } from './run-doctor.js';

const rds = useLocalRds();
const { diagnoseRds } = diagnosesOf(rds);

describe('the doctor, checking AWS credentials,', () => {
  it('says that there are none, and which sources there are', async () => {
    const diagnosis = await diagnoseRds([], {});
    expectFailure(diagnosis, 'credentials', 'credentials_missing', 'aws sso login');
    expect(diagnosis.step('credentials').found).toMatch(/^dynamic auth \(awsRdsIam\): /);
    expect(diagnosis.step('token').because).toBe('credentials');
    expect(diagnosis.step('login').because).toBe('credentials');
    expect(diagnosis.step('tls').status).toBe('ok');
  });

  it('names the credentials file that contains none', async () => {
    const home = emptyHome();
    const file = home['AWS_CONFIG_FILE'] ?? '';
    writeFileSync(file, `[default]\ncredential_process = sh -c "echo ${CANARY} >&2; exit 3"\n`);
    const diagnosis = await diagnoseRds([], home);
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', file);
  });

  it.each([
    [10 * 60_000, 'credentials_expire_soon', 'ends in 10 min', 'before a token would'],
    [-3 * 3_600_000, 'credentials_expired', 'ended 3 h ago', 'renew them'],
  ])('warns about credentials that expire in %i ms, and still logs in', async (ms, code, found, remedy) => {
    const AWS_CREDENTIAL_EXPIRATION = new Date(Date.now() + ms + 20_000).toISOString();
    const diagnosis = await diagnoseRds([], { ...rds().awsEnv, AWS_CREDENTIAL_EXPIRATION });
    expectWarning(diagnosis, 'credentials', code, remedy);
    expect(diagnosis.step('credentials').found).toContain(found);
    expect(diagnosis.step('login').status).toBe('ok');
  });

  it('says that the credentials were gone when the token was signed', async () => {
    const { port, user, database, region } = rds();
    const session = new Session(settingsOf({ max: 1, timeoutMs: 1 } as Arguments, {}), {});
    const dynamicAuth = { awsRdsIam: { region } };
    session.set('config', { host: 'localhost', port, user, database, dynamicAuth });
    for (const [name, value] of Object.entries(emptyHome())) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const outcome = await checkToken(session, new AbortController().signal);
    expect(outcome).toMatchObject({ status: 'failed', code: 'token_failed' });
    expect(outcome.remedy).toBe('look at the credentials above');
  });

  it('says what the credential endpoint answers', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(500).end(CANARY);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const diagnosis = await diagnoseRds([], {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://${host}/`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: CANARY,
    });
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', 'AWS_CONTAINER_CREDENTIALS_FULL_URI');
    expect(diagnosis.step('credentials').found).toContain(`${host} answers HTTP 500`);
    expect(new Set(seen)).toEqual(new Set([CANARY]));
  });

  it('gives up on a credential endpoint that never answers, and ends', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const diagnosis = await diagnoseRds(['--timeout', '30'], {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    });
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', 'AWS_CONTAINER_CREDENTIALS_FULL_URI');
  });

  it('says that the region cannot be detected', async () => {
    await using imds = await startImds();
    imds.set({ path: '/latest/meta-data/placement', status: 404 });
    const diagnosis = await diagnoseRds(['--region', 'detect'], {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
    });
    expectFailure(diagnosis, 'region', 'region_unknown', 'name the region (--region us-east-1)');
    expect(diagnosis.step('region').found).toContain('failed to detect region from IMDS');
    expect(diagnosis.step('login').because).toBe('region');
  });

  it('gives up on a metadata service that hangs', async () => {
    await using imds = await startImds();
    imds.set({ hang: true });
    const diagnosis = await diagnoseRds(['--region', 'detect', '--timeout', '36'], {
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint,
    });
    expectFailure(diagnosis, 'region', 'region_unknown', 'hop limit of 2');
    expect(diagnosis.failed).toEqual(['region']);
  });

  it('warns about a region that differs from the one in the host name', async () => {
    const host = 'no-such-database.abc.us-east-1.rds.amazonaws.com';
    const diagnosis = await diagnoseRds(['--host', host]);
    expectWarning(diagnosis, 'region', 'region_mismatch', '--region us-east-1');
    expect(diagnosis.step('region').facts).toMatchObject({ host_region: 'us-east-1' });
  });

  it('refuses an invalid region', async () => {
    expectFailure(
      await diagnoseRds(['--region', 'Frankfurt']),
      'region',
      'region_invalid',
      '--region us-east-1',
    );
  });
});
