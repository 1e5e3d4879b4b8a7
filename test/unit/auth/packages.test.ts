import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkDynamicAuthPackages } from '../../../src/auth/index.js';
import { loadFailure, requirePackages, type OptionalPackage } from '../../../src/auth/packages.js';
import { BACKEND_CASES } from '../../support/auth/cases.js';
import { iamConfig, inRegion } from '../../support/tokens.js';

const ROOT = join(import.meta.dirname, '../../..');
const TSX = pathToFileURL(join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')).href;

/** Runs a module in a separate process and returns its output, parsed as JSON. */
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

  it('are found when they are installed', async () => {
    await expect(checkDynamicAuthPackages(iamConfig())).resolves.toBe(undefined);
    await expect(checkDynamicAuthPackages(inRegion('detect'))).resolves.toBe(undefined);
  });

  it('are loaded only by the check of a config that needs them', async () => {
    const auth = JSON.stringify(pathToFileURL(join(ROOT, 'src/auth/index.ts')).href);
    const program = `
      import { createRequire } from 'node:module';
      import { checkDynamicAuthPackages, newDynamicAuthFunc } from ${auth};
      const loaded = () => Object.keys(createRequire(import.meta.url).cache)
        .filter((path) => /node_modules.@(aws-sdk|smithy)/.test(path)).length > 0;
      const config = ${JSON.stringify(iamConfig())};
      const states = [loaded()];
      const { dynamicAuth, ...plain } = config;
      await checkDynamicAuthPackages(plain);
      await newDynamicAuthFunc(config, 'app');
      states.push(loaded());
      await checkDynamicAuthPackages(config);
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
      await checkDynamicAuthPackages(plain);
      const caught = [];
      const note = (error) => caught.push({ code: error.code, message: error.message, cause: error.cause?.code });
      await checkDynamicAuthPackages(config).catch(note);
      await checkDynamicAuthPackages(detect).catch(note);
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

describe('the packages of every backend', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'pgauge-packages-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are named with the command that installs them when they are missing', async () => {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
    const needing = BACKEND_CASES.filter(({ packages }) => packages.length > 0);
    const configs = needing.map(({ backend, settings }) =>
      iamConfig({ dynamicAuth: { [backend]: settings ?? {} } }),
    );
    const program = `
      import { checkDynamicAuthPackages } from './src/auth/index.js';
      const said = [];
      for (const config of ${JSON.stringify(configs)}) {
        await checkDynamicAuthPackages(config).catch((error) => said.push(error.message));
      }
      console.log(JSON.stringify(said));`;
    expect(await run(program, folder)).toEqual(
      needing.map(
        ({ backend, packages }) =>
          `dynamic auth (${backend}): a package it needs is not installed: npm install ${packages.join(' ')}`,
      ),
    );
  });
});

describe('requirePackages', () => {
  const failing = (name: string, error: Error): OptionalPackage => ({
    name,
    needs: [],
    load: () => Promise.reject(error),
  });
  const notFound = (message: string): Error =>
    Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' });

  it('reports a package without a needed export as too old, and names both', async () => {
    const old = { name: '@some/sdk', load: () => Promise.resolve({ Signer: String }) };
    const asked = requirePackages('some', [{ ...old, needs: ['Signer', 'provide'] }]);
    await expect(asked).rejects.toThrow(
      'dynamic auth (some): a package it needs is too old, it has no provide: npm install @some/sdk@latest',
    );
    await expect(asked).rejects.toMatchObject({ code: 'ERR_PGAUGE_AUTH' });
    await expect(requirePackages('some', [{ ...old, needs: ['Signer'] }])).resolves.toBe(undefined);
  });

  it.each([
    "Cannot find package '@some/sdk' imported from /app/index.js",
    "Cannot find module '@some/sdk'\nRequire stack:\n- /app/index.js",
    'pgauge tried to access @some/sdk (a peer dependency) but it is not provided by your application',
    "Cannot find module '@some/sdk' from 'node_modules/pgauge/dist/index.cjs'",
  ])('reports a package that is not found as missing: %j', async (message) => {
    const missing = requirePackages('some', [failing('@some/sdk', notFound(message))]);
    await expect(missing).rejects.toThrow('npm install @some/sdk');
  });

  it.each([
    [
      "Cannot find package '@other/core' imported from /app/node_modules/@some/sdk/index.js",
      'MODULE_NOT_FOUND',
    ],
    [
      "Cannot find module '@other/core'\nRequire stack:\n- /app/node_modules/@some/sdk/index.js",
      'MODULE_NOT_FOUND',
    ],
    ["Cannot find package '@some/sdk-core' imported from /app/index.js", 'MODULE_NOT_FOUND'],
    ["'@some/sdk' has no export", 'ERR_PACKAGE_PATH_NOT_EXPORTED'],
  ])('does not report an installed but broken package before its use: %j', async (message, code) => {
    const broken = failing('@some/sdk', Object.assign(new Error(message), { code }));
    await expect(requirePackages('some', [broken])).resolves.toBe(undefined);
  });
});

describe('loadFailure', () => {
  const ofImport = Object.assign(new Error(), { code: 'ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING_FLAG' });

  it('is the error of require when it did not find the package', () => {
    const ofRequire = Object.assign(new Error(), { code: 'MODULE_NOT_FOUND' });
    expect(loadFailure(ofImport, ofRequire)).toBe(ofRequire);
  });

  it('is the error of import if require does not exist', () => {
    expect(loadFailure(ofImport, new ReferenceError('require is not defined'))).toBe(ofImport);
  });
});
