import { DEFAULT_MAX_OPEN_CONNS, effectiveSslMode, type Config } from '../settings/config.js';
import type { HostRequests } from './hosts.js';
import type { Settings } from './session.js';
import { settingsOf, targetOf } from './settings.js';

/** The fields of a config in their customary order. */
const ORDER: readonly (keyof Config)[] = [
  ...(['host', 'port', 'hosts', 'targetSessionAttrs', 'user', 'database'] as const),
  ...(['sslMode', 'password', 'dynamicAuth', 'maxOpenConns'] as const),
];
const WIDTH = 80;

/**
 * The code of a program that makes the requested pool; undefined if a field must stay hidden. It contains no secret: a
 * password is read from the environment.
 */
export function exampleCode(requests: HostRequests): string | undefined {
  const hosts = requests.each.map(({ given, env }) => settingsOf(given, env));
  const [first] = hosts;
  if (first === undefined || hosts.some((one) => Object.values(targetOf(one)).includes('[hidden]')))
    return undefined;
  const { caFile, signAt } = first;
  const { wanted } = requests;
  const config = {
    ...(hosts.length === 1 ? first.config : { ...first.config, ...severalHosts(hosts) }),
    targetSessionAttrs: wanted === 'any' ? undefined : wanted,
  };
  const signs = config.dynamicAuth !== undefined && signAt !== undefined;
  const ssl = {
    ca: caFile === undefined ? undefined : `readFileSync(${text(caFile)}, 'utf8')`,
    servername: effectiveSslMode(config as Config) === 'disable' ? undefined : signAt && text(signAt.host),
  };
  const options = {
    ssl: Object.values(ssl).some((value) => value !== undefined) ? object(ssl, '  ') : undefined,
    beforeConnect: signs ? signingHook(signAt) : undefined,
  };
  const more = Object.values(options).some((value) => value !== undefined);
  return [
    ...(caFile === undefined ? [] : ["import { readFileSync } from 'node:fs';"]),
    `import { defineConfig, ${signs ? 'newDynamicAuthFunc, ' : ''}newPool } from 'pgauge';`,
    '',
    `const config = defineConfig(${lines(configFields(config), '')});`,
    ...(signs
      ? [
          'const { dynamicAuth, ...rest } = config;',
          'const auth = await newDynamicAuthFunc(config, config.user);',
        ]
      : []),
    `const pool = await newPool(${signs ? 'rest' : 'config'}${more ? `, ${lines(options, '')}` : ''});`,
  ].join('\n');
}

function severalHosts(hosts: readonly Settings[]): Settings['config'] {
  return {
    hosts: hosts.map(({ config: { host, port } }) => ({ host, port })),
    host: undefined,
    port: undefined,
  };
}

/** Signs for the database's own name, and dials the given host. */
function signingHook({ host, port }: NonNullable<Settings['signAt']>): string {
  return [
    'async (target, context) => {',
    `    const signed = { ...target, host: ${text(host)}${port === undefined ? '' : `, port: ${literal(port, '')}`} };`,
    '    await auth(signed, context);',
    '    target.password = signed.password;',
    '  }',
  ].join('\n');
}

function configFields(config: Settings['config']): Fields {
  const fields = ORDER.map((name): [string, string | undefined] => {
    const value = config[name];
    if (value === undefined || (name === 'maxOpenConns' && value === DEFAULT_MAX_OPEN_CONNS))
      return [name, undefined];
    return [name, name === 'password' ? "process.env['PGPASSWORD']" : literal(value, '  ')];
  });
  return Object.fromEntries(fields);
}

/** Code by name; undefined fields are left out. */
type Fields = Readonly<Record<string, string | undefined>>;

function literal(value: unknown, indent: string): string {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) {
    const each = value.map((one) => `${indent}  ${literal(one, `${indent}  `)},\n`);
    return `[\n${each.join('')}${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, one]) => [
    name,
    one === undefined ? undefined : literal(one, `${indent}  `),
  ]);
  return object(Object.fromEntries(fields) as Fields, indent);
}

/** An object, on one line if it fits. */
function object(fields: Fields, indent: string): string {
  const inner = present(fields).join(', ');
  const line = inner === '' ? '{}' : `{ ${inner} }`;
  const longest = 'dynamicAuth: ,'.length;
  return line.includes('\n') || indent.length + longest + line.length > WIDTH ? lines(fields, indent) : line;
}

function lines(fields: Fields, indent: string): string {
  return `{\n${present(fields)
    .map((field) => `${indent}  ${field},\n`)
    .join('')}${indent}}`;
}

function present(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, code]) => (code === undefined ? [] : [`${name}: ${code}`]));
}

/** A string in single quotes, without control characters. */
function text(value: string): string {
  const escaped = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  const hex = (character: string): string => `\\x${character.charCodeAt(0).toString(16)}`;
  return `'${escaped.replaceAll(/[\x7f-\x9f]/g, hex)}'`;
}
