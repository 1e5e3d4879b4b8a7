import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { until } from '../../support/until.js';
import type { Phase } from '../phase.js';
import { SERVICE } from '../stack.js';

const RELABELLING = join(import.meta.dirname, '../../../docs/prometheus-relabel.yml');
const JOB = 'scraped-from-the-application';
const WAIT_MS = 30_000;
const MOST_DIFFERENCES = 6;
const LOOK_EVERY_MS = 200;
// Each reader computes its own sums, and so has its own rounding.
const ROUNDING = 1e-9;
const OURS = '__name__=~"(pgauge|db_client)_.+"';

/**
 * Prometheus scrapes the application's own exporter with the relabelling from the documentation, and stores the same
 * series as through the collector.
 */
export const directScrape: Phase = {
  name: 'direct-scrape',
  shows: 'a direct scrape stores the same series as the collector',
  async run({ prometheus, startApp }, table) {
    const app = await startApp({ instance: 'app-scraped', pool: 'scraped' });
    const { host } = new URL(app.metricsUrl);
    const relabelling = parse(await readFile(RELABELLING, 'utf8')) as object;
    const target = { job_name: JOB, static_configs: [{ targets: [host] }], ...relabelling };
    const selectors = { collector: `job="${SERVICE}",instance="${app.instance}"`, direct: `job="${JOB}"` };
    const { api } = prometheus;
    const series = async (way: keyof typeof selectors): Promise<Map<string, number>> =>
      new Map(
        (await api.query(`{${selectors[way]},${OURS}}`)).map(({ labels, value }) => [text(labels), value]),
      );
    try {
      await prometheus.scrape([...prometheus.scrapeConfigs, target]);
      await app.load({ discard: 0.1, failing: 0.1 });
      await until('some work', async () => (await app.stat()).events.remove > 5, WAIT_MS, LOOK_EVERY_MS);
      await app.load({ clients: 0, discard: 0, failing: 0 });
      let found = 0;
      let differences = ['no data'];
      // Each is as old as its last scrape, so compare until both have the last values.
      const same = async (): Promise<boolean> => {
        const [collected, direct] = [await series('collector'), await series('direct')];
        found = direct.size;
        differences = [...difference('-', collected, direct), ...difference('+', direct, collected)];
        return found > 0 && differences.length === 0;
      };
      await until('the same series', same, WAIT_MS, LOOK_EVERY_MS).catch(() => undefined);
      table.row(
        'series and values scraped from the application, and by way of the collector',
        'the same',
        differences.slice(0, MOST_DIFFERENCES).join('; ') || `the same ${found}`,
        found > 0 && differences.length === 0,
      );
    } finally {
      await prometheus.scrape(prometheus.scrapeConfigs);
      await app.stop();
    }
  },
};

/** Series of `one` that are missing in `other` or have another value there. */
function difference(
  sign: string,
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): string[] {
  return [...one]
    .filter(([key, value]) => !(Math.abs(value - (other.get(key) ?? NaN)) <= ROUNDING * Math.abs(value)))
    .map(([key, value]) => `${sign} ${key} ${value}`);
}

/** A series without the labels that differ between the two paths. */
function text(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels)
    .filter(([key]) => !['__name__', 'job', 'instance'].includes(key))
    // Text and OpenMetrics write whole numbers differently, and Prometheus 2 stores them as written.
    .map(
      ([key, content]) => `${key}=${key === 'le' ? Number(content.replace('+Inf', 'Infinity')) : content}`,
    );
  return `${labels['__name__']}{${parts.sort().join(',')}}`;
}
