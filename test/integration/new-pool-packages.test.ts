import { describe, expect, test } from 'vitest';
import { useCleanEnvironment } from '../support/environment.js';
import { useFakeServer } from '../support/fake-server.js';
import { TempCopy } from '../support/temp-copy.js';

useCleanEnvironment();
const listener = useFakeServer();

const PROGRAM = `
  import { newPool, newAuthToken } from './src/index.js';
  const [config] = process.argv.slice(2).map((text) => JSON.parse(text));
  const lines = [];
  const log = (_fields, message) => lines.push(message);
  const logger = { debug: log, info: log, warn: log };
  const pool = await newPool(config, { logger }).catch((error) => error);
  const { name, code, message, cause } = pool;
  console.log(JSON.stringify({ name, code, message, cause: cause?.code, lines }));
  await pool.end?.();`;

describe('in an installation without the AWS packages', () => {
  const run = async (extra: object): Promise<unknown> => {
    const copy = new TempCopy({ linked: ['pg', 'pino', '@opentelemetry/api'] });
    expect(copy.has('@aws-sdk/rds-signer')).toBe(false);
    const config = { host: listener.host, port: listener.port, user: 'app', database: 'app', ...extra };
    const { lines, stderr } = await copy.run(PROGRAM, [JSON.stringify(config)], {
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    expect(stderr).toBe('');
    return JSON.parse(lines.join('')) as unknown;
  };

  test.each([
    ['eu-central-1', ''],
    // The error comes before the metadata service is asked for the region.
    ['detect', ' @aws-sdk/ec2-metadata-service'],
  ])(
    'newPool names the command that installs them and dials no connection (region %s)',
    async (region, more) => {
      const said = await run({ minConns: 1, dynamicAuth: { awsRdsIam: { region } } });
      expect(said).toEqual({
        name: 'AuthError',
        code: 'ERR_PGAUGE_AUTH',
        message:
          'dynamic auth (awsRdsIam): a package it needs is not installed: ' +
          `npm install @aws-sdk/rds-signer @aws-sdk/credential-providers${more}`,
        cause: 'MODULE_NOT_FOUND',
        lines: [],
      });
      expect(await listener.dialled()).toBe(0);
    },
  );

  test('a pool with a password needs none of them', async () => {
    expect(await run({ password: 'x' })).toEqual({ lines: ['postgres connection pool created'] });
  });
});
