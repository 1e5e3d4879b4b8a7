import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/doctor/arguments.js';
import { exampleCode } from '../../../src/doctor/example-code.js';
import { hostRequests } from '../../../src/doctor/hosts.js';

/** The code for a command line and its environment. */
function codeFor(args: readonly string[], env: NodeJS.ProcessEnv = {}): string | undefined {
  const given = readArguments(args);
  if (typeof given === 'string') throw new Error(`read as ${given}`);
  return exampleCode(hostRequests(given, env));
}

const TARGET = ['--host', 'db.internal', '--user', 'app', '--database', 'orders'];

describe('the example code of a report', () => {
  it('reads a password from the environment, and does not repeat it', () => {
    expect(codeFor([...TARGET, '--max', '20'], { PGPASSWORD: 'canary' })).toBe(
      [
        "import { defineConfig, newPool } from 'pgauge';",
        '',
        'const config = defineConfig({',
        "  host: 'db.internal',",
        '  port: 5432,',
        "  user: 'app',",
        "  database: 'orders',",
        "  password: process.env['PGPASSWORD'],",
        '  maxOpenConns: 20,',
        '});',
        'const pool = await newPool(config);',
      ].join('\n'),
    );
  });

  it('has the backend with the settings that were given, and no others', () => {
    const code = codeFor([...TARGET, '--azure-client-id', 'some-id']);
    expect(code).toContain("  dynamicAuth: { azureAd: { clientId: 'some-id' } },\n");
  });

  it('wraps settings that do not fit on a line', () => {
    const arn = 'arn:aws:iam::123456789012:role/a-role-with-a-long-name';
    const code = codeFor([...TARGET, '--region', 'eu-central-1', '--role-arn', arn]);
    expect(code).toContain(
      `    awsRdsIam: {\n      region: 'eu-central-1',\n      roleArn: '${arn}',\n    },\n`,
    );
  });

  it('signs for the name of --sign-host, and verifies it', () => {
    const code = codeFor([...TARGET, '--region', 'host', '--sign-host', 'db.example.com:5433']);
    expect(code).toContain("ssl: { servername: 'db.example.com' }");
    expect(code).toContain("const signed = { ...target, host: 'db.example.com', port: 5433 };");
  });

  it('has every host with its port, and the requested kind of server', () => {
    const hosts = ['--host', 'db1.internal,db2.internal', '--port', '5432,5433'];
    const code = codeFor([...TARGET, ...hosts, '--target-session-attrs', 'primary']);
    expect(code).toContain(
      [
        '  hosts: [',
        "    { host: 'db1.internal', port: 5432 },",
        "    { host: 'db2.internal', port: 5433 },",
        '  ],',
        "  targetSessionAttrs: 'primary',",
      ].join('\n'),
    );
    expect(code).not.toMatch(/^ {2}(host|port):/m);
  });

  it('quotes names correctly, without control characters', () => {
    const user = 'it\'s a "user" \\ \n\u009b';
    const [line = ''] = /^ {2}user: .*$/m.exec(codeFor(['--user', user]) ?? '') ?? [];
    expect(runInNewContext(`({${line}})`)).toEqual({ user });
    expect(line).not.toMatch(/\p{Cc}/u);
  });

  it('is omitted when a field looks like a connection string, which may contain a password', () => {
    expect(codeFor(['--host', 'postgres://app:canary@db/orders'])).toBeUndefined();
  });
});
