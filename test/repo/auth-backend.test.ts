import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AuthBackend } from '../../src/auth/backend.js';
import { BACKENDS } from '../../src/auth/backends.js';
import { DOCTOR_BACKENDS } from '../../src/auth/doctor.js';
import { ConfigError } from '../../src/errors.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PACKAGE = JSON.parse(read('package.json')) as {
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional?: boolean }>;
  devDependencies: Record<string, string>;
};
const isOptionalPeer = (name: string): boolean =>
  name in PACKAGE.peerDependencies && PACKAGE.peerDependenciesMeta[name]?.optional === true;

/** The packages that files of src/auth load on demand. */
const LOADED = [
  ...new Set(
    readdirSync(join(ROOT, 'src/auth'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [...read(`src/auth/${file}`).matchAll(/\bimport\('([^'.][^']*)'\)/g)])
      .map(([, name = '']) => name),
  ),
];

describe.each(Object.entries<AuthBackend>(BACKENDS))('the backend %s', (key, backend) => {
  it('has its key as its name', () => {
    expect(backend.name).toBe(key);
  });

  it('needs only packages that package.json declares as optional peers', () => {
    expect(backend.packages({}).filter(({ name }) => !isOptionalPeer(name))).toEqual([]);
  });

  it('refuses unknown settings with a ConfigError', () => {
    expect(() => backend.check({ 'no such setting': 1 }, `dynamicAuth.${key}`)).toThrow(ConfigError);
  });

  it('is documented in docs/api.md, and its flags in docs/doctor.md', () => {
    expect(read('docs/api.md')).toMatch(new RegExp(`^- \`${key}\\?\` `, 'm'));
    const flags = DOCTOR_BACKENDS.find(({ name }) => name === key)?.addition.flags ?? [];
    expect(flags.length > 0).toBe(key !== 'custom');
    for (const { name } of flags) expect(read('docs/doctor.md')).toContain(`\`--${name}`);
  });
});

describe('the packages that src/auth loads', () => {
  it.each(LOADED)('%s is an optional peer, and installed for the tests', (name) => {
    expect(isOptionalPeer(name)).toBe(true);
    expect(PACKAGE.devDependencies).toHaveProperty(name);
  });
});

describe('the source outside src/auth', () => {
  // Stable names: a step and codes of the doctor's report, and public types.
  const STABLE =
    /'?rds_iam'?|not_granted_rds_iam|password_for_iam_user|^export type \{ (?:DynamicAuth\w+|Aws\w+(?:, Aws\w+)*) \} from '.\/auth\/[\w/-]+.js';$/g;
  const CLOUD = /aws|amazon|\brds|iam\b|imds|\bsso\b|\bsts\b|azure|gcp/i;

  it('names no cloud', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.startsWith('auth/'),
    );
    expect(files.length).toBeGreaterThan(50);
    const named = files.flatMap((file) =>
      read(`src/${file}`)
        .split('\n')
        .filter((line) => CLOUD.test(line.replace(STABLE, '')))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(named).toEqual([]);
  });
});
