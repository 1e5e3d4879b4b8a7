import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDynamicAuthPackages } from '../../../src/auth/index.js';
import { iamConfig, inRegion } from '../../support/tokens.js';

const ROOT = join(import.meta.dirname, '../../..');
const TSX = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href;

/** Runs a module in a process of its own and returns what it printed as JSON. */
async function run(program: string, cwd: string): Promise<unknown> {
  const file = join(cwd, 'program.mts');
  writeFileSync(file, program);
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: cwd,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', TSX, file], { cwd, env });
  return JSON.parse(stdout);
}

describe('the packages of AWS RDS IAM', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pgauge-packages-'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are found when they are installed', () => {
    expect(() => checkDynamicAuthPackages(iamConfig())).not.toThrow();
    expect(() => checkDynamicAuthPackages(inRegion('detect'))).not.toThrow();
  });

  it('are loaded by the first token and by nothing before it', async () => {
    const auth = JSON.stringify(pathToFileURL(join(ROOT, 'src/auth/index.ts')).href);
    const program = `
      import { createRequire } from 'node:module';
      import { checkDynamicAuthPackages, newDynamicAuthFunc } from ${auth};
      const loaded = () => Object.keys(createRequire(import.meta.url).cache)
        .filter((path) => /node_modules.@(aws-sdk|smithy)/.test(path)).length > 0;
      const config = ${JSON.stringify(iamConfig())};
      const states = [loaded()];
      checkDynamicAuthPackages(config);
      const hook = await newDynamicAuthFunc(config, 'app');
      states.push(loaded());
      await hook({ host: 'db', port: 5432, user: '', password: '', database: 'app', ssl: false });
      states.push(loaded());
      console.log(JSON.stringify(states));`;
    expect(await run(program, folder)).toEqual([false, false, true]);
  });

  it('are named with the command that installs them when they are missing', async () => {
    cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
    const program = `
      import { checkDynamicAuthPackages, newAuthToken } from './src/auth/index.js';
      const config = ${JSON.stringify(iamConfig())};
      const detect = ${JSON.stringify(inRegion('detect'))};
      const { dynamicAuth, ...plain } = config;
      checkDynamicAuthPackages(plain);
      const caught = [];
      const note = (error) => caught.push({ code: error.code, message: error.message, cause: error.cause?.code });
      try { checkDynamicAuthPackages(config) } catch (error) { note(error) }
      try { checkDynamicAuthPackages(detect) } catch (error) { note(error) }
      await newAuthToken(config, 'app').catch(note);
      console.log(JSON.stringify(caught));`;
    const message =
      'dynamic auth (awsRdsIam): a package it needs is not installed: ' +
      'npm install @aws-sdk/rds-signer @aws-sdk/credential-providers';
    const error = { code: 'ERR_PGAUGE_AUTH', cause: 'MODULE_NOT_FOUND' };
    expect(await run(program, folder)).toEqual([
      { ...error, message },
      { ...error, message: `${message} @aws-sdk/ec2-metadata-service` },
      { ...error, message },
    ]);
  });
});
