import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { useLocalRds } from '../../support/servers.js';
import { PAGE, expectDocumented } from './documented.js';
import { emptyHome, iamArgs, runDoctor, type Diagnosis } from './run-doctor.js';

const rds = useLocalRds();

/** The page's blocks in one language. */
function blocks(language: string): string[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text = '']) => text,
  );
}

/** The output without what differs between runs: times, keys, names of authorities, ports, versions and line breaks. */
function common(output: string): string {
  return output
    .replaceAll(rds().caFile, 'ca.pem')
    .replace(/\d+(\.\d)?(?= m?s\b)/g, 'N')
    .replace(/AKIA…\w{4}/g, 'AKIA…')
    .replace(/CA [0-9a-f]{8}/g, 'CA')
    .replace(/localhost:\d+/g, 'localhost')
    .replace(/port: \d+/g, 'port: N')
    .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
    .replace(/PostgreSQL [\d.]+/g, 'PostgreSQL')
    .replace(/\s+/g, ' ')
    .trim();
}

async function run(...args: string[]): Promise<string> {
  const home = emptyHome();
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = rds().awsEnv;
  const profile = `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
  writeFileSync(home['AWS_SHARED_CREDENTIALS_FILE'] ?? '', profile);
  return (await runDoctor(args, home)).stdout;
}

it('docs/doctor.md shows what the doctor prints', async () => {
  const [withoutRoots, withRoots] = blocks('text');
  const args = iamArgs(rds());
  expect(args.slice(-2)).toEqual(['--ca', rds().caFile]);
  expect(common(await run(...args.slice(0, -2)))).toBe(common(withoutRoots ?? ''));
  expect(common(await run(...args))).toBe(common(withRoots ?? ''));
});

it('the JSON in docs/doctor.md is a valid report', async () => {
  const report = JSON.parse(await run(...iamArgs(rds()).slice(0, -2), '--json')) as Diagnosis['json'];
  const shown = JSON.parse(blocks('json')[0] ?? '') as Diagnosis['json'];
  const steps = report.steps.map((step) => shown.steps.find(({ id }) => id === step.id) ?? step);
  expectDocumented({ ...shown, steps });
  expect(Object.keys(shown)).toEqual(Object.keys(report));
  expect({ ...report.steps.find(({ id }) => id === shown.steps[0]?.id), duration_ms: 0 }).toEqual(
    shown.steps[0],
  );
});
