import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startImds, type HttpFault } from '../../../../local-rds/index.js';
import { resolveAwsRegion } from '../../../../src/auth/aws/region.js';
import { AuthError } from '../../../../src/errors.js';
import { setEnv, useCleanAwsEnvironment, useImds } from '../../../support/aws-environment.js';

const REGION_PATH = '/latest/meta-data/placement/region';
const TOKEN_PATH = '/latest/api/token';

useCleanAwsEnvironment();

function resolve(configured: unknown, signal = new AbortController().signal): Promise<string> {
  return resolveAwsRegion('awsRdsIam', configured, signal);
}

describe('a configured region', () => {
  it.each([
    'us-east-1',
    'us-gov-west-1',
    'cn-north-1',
    'us-iso-east-1',
    'us-isob-east-1',
    'us-isof-south-1',
    'eu-isoe-west-1',
    'eusc-de-east-1',
    'ap-southeast-7',
    'mx-central-1',
    'il-central-1',
  ])('%s is accepted unchanged', async (region) => {
    await expect(resolve(region)).resolves.toBe(region);
  });

  it.each([
    'us-east-1\n',
    'us-east-1\r\nx: y',
    ' us-east-1',
    'US-EAST-1',
    'us-east-1/aws4_request',
    'us-east-1?x',
    'us-east',
    'us-east-0',
    'Detect',
    'us_east_1',
    'a'.repeat(10_000) + '-east-1',
    1,
    null,
    ['us-east-1'],
  ])('%j is refused', async (region) => {
    const refused = resolve(region);
    await expect(refused).rejects.toThrow(AuthError);
    await expect(refused).rejects.toThrow(/^dynamic auth \(awsRdsIam\): AWS RDS IAM region /);
  });

  it.each(['', undefined])('that is %j counts as not configured', async (region) => {
    await expect(resolve(region)).rejects.toThrow(
      /^dynamic auth \(awsRdsIam\): AWS RDS IAM region is not configured$/,
    );
  });
});

describe('a detected region', () => {
  const FAILED = /^dynamic auth \(awsRdsIam\): failed to detect region from IMDS: ./;

  it('is read from version 2 of the metadata service', async () => {
    await using imds = await startImds({ region: 'ap-southeast-7' });
    useImds(imds.endpoint);
    await expect(resolve('detect')).resolves.toBe('ap-southeast-7');
    expect(imds.calls()).toEqual({ [`PUT ${TOKEN_PATH}`]: 1, [`GET ${REGION_PATH}`]: 1 });
  });

  it.each<[string, HttpFault]>([
    ['refuses session tokens', { path: TOKEN_PATH, status: 403 }],
    ['fails', { status: 500 }],
    ['knows no region', { path: REGION_PATH, status: 404 }],
    ['answers nothing', { path: REGION_PATH, body: '' }],
    ['answers HTML', { path: REGION_PATH, body: '<html><body>eu-west-1</body></html>' }],
    ['answers with a line break', { path: REGION_PATH, body: 'eu-west-1\r\n' }],
    ['smuggles a header', { path: REGION_PATH, body: 'eu-west-1\r\nhost: x' }],
  ])('is refused when the service %s', async (_title, fault) => {
    await using imds = await startImds();
    imds.set(fault);
    useImds(imds.endpoint);
    const refused = resolve('detect');
    await expect(refused).rejects.toThrow(AuthError);
    await expect(refused).rejects.toThrow(FAILED);
    await expect(refused).rejects.not.toThrow('html');
    await expect(refused).rejects.toHaveProperty('cause', expect.any(Error));
  });

  it('never falls back to version 1 of the service', async () => {
    await using imds = await startImds();
    imds.set({ path: TOKEN_PATH, status: 404 });
    useImds(imds.endpoint);
    await expect(resolve('detect')).rejects.toThrow('404');
    expect(imds.calls()[`GET ${REGION_PATH}`]).toBeUndefined();
  });

  it('is requested once more when the first attempt fails', async () => {
    let calls = 0;
    const imds = await serve((request, response) => {
      response.statusCode = ++calls === 1 ? 503 : 200;
      response.end(request.method === 'PUT' ? 'token' : 'eu-west-1');
    });
    useImds(imds.endpoint);
    await expect(resolve('detect')).resolves.toBe('eu-west-1');
    expect(calls).toBe(3);
    imds.close();
  });

  it.each<[string, RequestListener]>([
    ['never answers', () => undefined],
    [
      'never ends its answer',
      (request, response) => {
        if (request.method === 'PUT') response.end('token');
        else response.writeHead(200, { 'content-length': 50 }).write('eu-west-1');
      },
    ],
  ])('fails within 8 s when the service %s', async (_title, listener) => {
    const imds = await serve(listener);
    useImds(imds.endpoint);
    const start = performance.now();
    await expect(resolve('detect')).rejects.toThrow(FAILED);
    expect(performance.now() - start).toBeLessThan(20_000);
    imds.close();
  });

  it('fails when no service listens', async () => {
    const imds = await serve(() => undefined);
    useImds(imds.endpoint);
    imds.close();
    await expect(resolve('detect')).rejects.toThrow(FAILED);
  });

  it('is not requested when the metadata service is disabled', async () => {
    await using imds = await startImds();
    useImds(imds.endpoint);
    setEnv({ AWS_EC2_METADATA_DISABLED: 'true' });
    await expect(resolve('detect')).rejects.toThrow('from IMDS: AWS_EC2_METADATA_DISABLED is set');
    expect(imds.calls()).toEqual({});
    setEnv({ AWS_EC2_METADATA_DISABLED: 'false' });
    await expect(resolve('detect')).resolves.toBe('eu-central-1');
  });

  it('is abandoned on abort, with the reason as cause', async () => {
    await using imds = await startImds();
    imds.set({ hang: true });
    useImds(imds.endpoint);
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 20);
    const start = performance.now();
    await expect(resolve('detect', controller.signal)).rejects.toMatchObject({
      name: 'AuthError',
      cause: reason,
    });
    expect(performance.now() - start).toBeLessThan(3_500);
  });
});

async function serve(listener: RequestListener): Promise<{ endpoint: string; close(): void }> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
