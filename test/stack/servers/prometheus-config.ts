import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { TimeScale } from '../time/scale.js';
import { shortenDuration, shortenRules } from '../time/shorten.js';

const DASHBOARDS = join(import.meta.dirname, '../../../dashboards');
/** The configuration that `docker compose up` uses. */
export const PROMETHEUS_CONFIG = join(DASHBOARDS, 'stack/prometheus.yml');
/** The shipped rules. */
export const RULES = join(DASHBOARDS, 'rules/pgauge.rules.yml');

/** An entry of Prometheus' `scrape_configs`. */
export type ScrapeConfig = Readonly<Record<string, unknown>> & {
  readonly job_name: string;
  readonly static_configs: readonly { readonly targets: readonly string[] }[];
};

/** A Prometheus configuration, as far as it is changed here. */
export interface PrometheusConfig {
  readonly global: Readonly<Record<'scrape_interval' | 'evaluation_interval', string>>;
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly ScrapeConfig[];
}

/** The shipped configuration at the scale's speed, with the targets in `addresses` and the rules in the given file. */
export async function localConfig(
  rulesFile: string,
  addresses: Readonly<Record<string, string>>,
  { factor }: TimeScale,
): Promise<PrometheusConfig> {
  const { global, scrape_configs, ...others } = parse(
    await readFile(PROMETHEUS_CONFIG, 'utf8'),
  ) as PrometheusConfig;
  const address = (target: string): string => {
    const found = addresses[target];
    if (found === undefined) throw new Error(`${PROMETHEUS_CONFIG} scrapes ${target}, which is not started`);
    return found;
  };
  const interval = shortenDuration(global.scrape_interval, factor);
  const evaluation = shortenDuration(global.evaluation_interval, factor);
  return {
    ...others,
    // The default timeout would exceed the shortened interval.
    global: {
      ...global,
      ...{ scrape_timeout: interval, scrape_interval: interval, evaluation_interval: evaluation },
    },
    rule_files: [rulesFile],
    scrape_configs: scrape_configs.map((config) => ({
      ...config,
      static_configs: config.static_configs.map((group) => ({
        ...group,
        targets: group.targets.map(address),
      })),
    })),
  };
}

/** The shipped rules at the scale's speed. */
export async function localRules({ factor }: TimeScale): Promise<string> {
  return shortenRules(await readFile(RULES, 'utf8'), factor);
}
