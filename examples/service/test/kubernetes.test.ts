import { readdirSync, readFileSync } from 'node:fs';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { Service, ServiceAccount } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';
import { describe, expect, test } from 'vitest';

const KINDS = { Deployment, Job, NetworkPolicy, Service, ServiceAccount };
const folder = new URL('../kubernetes/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const manifests = readdirSync(folder).flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(file, folder), 'utf8')).map((document) => {
    const manifest = document.toJS() as { kind: keyof typeof KINDS };
    return [`${manifest.kind} of ${file}`, manifest] as const;
  }),
);

/** The manifest of a kind, validated against Kubernetes' schema. */
function valid<Kind extends keyof typeof KINDS>(kind: Kind): InstanceType<(typeof KINDS)[Kind]> {
  const manifest = manifests.find(([, found]) => found.kind === kind)?.[1];
  const model = new KINDS[kind](manifest as never);
  model.validate();
  return model as InstanceType<(typeof KINDS)[Kind]>;
}

test.each(manifests)('%s is valid for Kubernetes', (_, manifest) => {
  expect(() => new KINDS[manifest.kind](manifest as never).validate()).not.toThrow();
  expect(() => new KINDS[manifest.kind]({ ...manifest, metadata: 'none' } as never).validate()).toThrow();
});

describe('the deployment', () => {
  const { spec } = valid('Deployment');
  const pod = spec?.template.spec;
  const container = pod?.containers[0];

  test('probes paths that the service has', () => {
    const routes = read('src/probes.ts');
    const { startupProbe, readinessProbe, livenessProbe } = container ?? {};
    const paths = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet?.path);
    expect(paths).toEqual(['/readyz', '/readyz', '/livez']);
    for (const path of paths) expect(routes).toContain(`app.get('${path}'`);
  });

  test('has a grace period longer than the drain and the end of the pool', () => {
    const drainMs = /DRAIN_MS'\] \?\? ([\d_]+)/.exec(read('src/main.ts'))?.[1];
    const endMs = /endTimeoutMs: ([\d_]+)/.exec(read('src/database.ts'))?.[1];
    const [drain, end] = [drainMs, endMs].map((text) => Number(text?.replaceAll('_', '')) / 1_000);
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan((drain ?? NaN) + (end ?? NaN));
  });

  test('sets only variables that the settings read, in the migration too', () => {
    const settings = read('src/settings.ts');
    const variables = [
      ...(container?.env ?? []),
      ...(valid('Job').spec?.template.spec?.containers[0]?.env ?? []),
    ];
    const own = variables.map(({ name }) => name).filter((name) => !/^(OTEL_|PGSSLROOTCERT$)/.test(name));
    expect(own).not.toEqual([]);
    for (const name of own) expect(settings).toMatch(new RegExp(`\\b${name}\\b`));
  });

  test("runs the package's start program, and the migration job its migration program", () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const command = /^CMD (.*)$/m.exec(read('Dockerfile'))?.[1];
    expect((JSON.parse(command ?? '[]') as string[]).join(' ')).toBe(scripts['start']);
    expect(valid('Job').spec?.template.spec?.containers[0]?.command?.join(' ')).toBe(scripts['migrate']);
  });

  test('has a network policy that matches its labels and ports', () => {
    const { spec: policy } = valid('NetworkPolicy');
    const labels = spec?.template.metadata?.labels ?? {};
    expect(labels).toMatchObject(policy?.podSelector.matchLabels ?? {});
    expect(valid('Job').spec?.template.metadata?.labels).toMatchObject(policy?.podSelector.matchLabels ?? {});
    // The Service must not send requests to a migration.
    expect(valid('Job').spec?.template.metadata?.labels).not.toMatchObject(
      valid('Service').spec?.selector ?? {},
    );
    const ports = policy?.egress?.flatMap((rule) => rule.ports?.map(({ port }) => port) ?? []);
    expect(ports).toEqual([53, 53, 5432, 443, 4318]);
    expect(policy?.ingress?.flatMap((rule) => rule.ports?.map(({ port }) => port))).toEqual([
      container?.ports?.[0]?.containerPort,
    ]);
  });
});
