import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A service of docker-compose.yml, as far as the tests read it. */
export interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Prometheus {
  readonly global: { readonly scrape_interval: string; readonly evaluation_interval: string };
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly honor_labels?: boolean;
    readonly scrape_interval?: string;
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}

interface Datasource {
  readonly uid: string;
  readonly type: string;
  readonly url: string;
  readonly isDefault?: boolean;
  readonly jsonData?: {
    readonly timeInterval?: string;
    readonly exemplarTraceIdDestinations?: readonly {
      readonly name: string;
      readonly datasourceUid: string;
    }[];
  };
}

/** A mount of a file or folder of the repository, or of a volume. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly isFile: boolean;
}

const yamlOf = (path: string): unknown => parse(textOf(path));

export const textOf = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');
export const compose = yamlOf('docker-compose.yml') as Compose;
export const services = Object.entries(compose.services).map(([name, service]) => ({ name, ...service }));
export const prometheus = yamlOf('dashboards/stack/prometheus.yml') as Prometheus;
export const datasources = (
  yamlOf('dashboards/provisioning/datasources/pgauge.yml') as { datasources: readonly Datasource[] }
).datasources;
export const dashboardFolders = (
  yamlOf('dashboards/provisioning/dashboards/pgauge.yml') as {
    providers: readonly { readonly options: { readonly path: string } }[];
  }
).providers.map(({ options }) => options.path);

/** The service of that name; throws if it does not exist. */
export function service(name: string): Service {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** The mounts of a service. */
export function mountsOf({ volumes = [] }: Service): Mount[] {
  return volumes.map((volume) => {
    const [source = '', target = ''] = volume.split(':');
    return { source, target, isFile: source.startsWith('.') };
  });
}
