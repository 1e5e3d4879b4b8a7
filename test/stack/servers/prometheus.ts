import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { duration, type TimeScale } from '../time/scale.js';
import { prometheusTools, type PrometheusChoice } from '../tools/prometheus.js';
import { freePorts } from '../../support/free-ports.js';
import { answers, ServerProcess } from '../../support/server-process.js';
import { PrometheusApi } from './prometheus-api.js';
import { localConfig, localRules, type ScrapeConfig } from './prometheus-config.js';

/** A running Prometheus. */
export interface Prometheus extends AsyncDisposable {
  readonly api: PrometheusApi;
  readonly url: string;
  /** `2.42.0`, for instance. */
  readonly version: string;
  /** The scrape configs of the shipped configuration, with the addresses of this stack. */
  readonly scrapeConfigs: readonly ScrapeConfig[];
  /** Replaces the scrape configs. */
  scrape(configs: readonly ScrapeConfig[]): Promise<void>;
}

/**
 * Starts Prometheus in a folder, with the shipped configuration and rules at the scale's speed; `addresses` maps the
 * configuration's targets to this stack's.
 */
export async function startPrometheus(
  folder: string,
  addresses: Readonly<Record<string, string>>,
  scale: TimeScale,
  choice: PrometheusChoice,
): Promise<Prometheus> {
  const { prometheus: program, version } = await prometheusTools(choice);
  const data = join(folder, 'prometheus');
  const file = join(data, 'prometheus.yml');
  await mkdir(data, { recursive: true });
  await writeFile(join(data, 'rules.yml'), await localRules(scale));
  const config = await localConfig('rules.yml', addresses, scale);
  await writeFile(file, stringify(config));
  const [port] = (await freePorts(1)) as [number];
  const url = `http://127.0.0.1:${port}`;
  const server = new ServerProcess('Prometheus', {
    program,
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(data, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--query.lookback-delta=${duration(scale.lookbackMs)}`,
      '--enable-feature=exemplar-storage',
      '--web.enable-lifecycle',
    ],
  });
  try {
    await server.until(() => answers(`${url}/-/ready`));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    ...{ url, version, api: new PrometheusApi(url), scrapeConfigs: config.scrape_configs },
    scrape: async (scrape_configs) => {
      await writeFile(file, stringify({ ...config, scrape_configs }));
      const reloaded = await fetch(`${url}/-/reload`, { method: 'POST' });
      if (!reloaded.ok) throw new Error(`Prometheus: ${await reloaded.text()}`);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
