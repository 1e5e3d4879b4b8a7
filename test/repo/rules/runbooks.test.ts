import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LOG } from '../../../src/telemetry/logs/records.js';
import { ATTR, METRIC, SPAN } from '../../../src/telemetry/names.js';
import { CLOSE_REASONS } from '../../../src/observer.js';
import { KNOWN_METRICS } from './known-series.js';
import { readQuery } from './promql.js';
import { ROOT } from './rule-files.js';

const FOLDER = `${ROOT}docs/runbooks/`;
const PAGES = readdirSync(FOLDER).filter((name) => name.endsWith('.md') && name !== 'README.md');
const SECTIONS = ['Impact', 'Where to look', 'Causes, likeliest first', 'What to do', 'Silencing'];
const TELEMETRY = new Set<string>([
  ...Object.values(METRIC).map(({ name }) => name),
  ...Object.values(ATTR),
  ...Object.values(SPAN),
]);
const MESSAGES = Object.values(LOG).map(({ message }) => message) as string[];
const PANELS = ['pool', 'queries', 'auth'].flatMap((name) => {
  type Panel = { readonly title: string; readonly panels?: readonly Panel[] };
  const { panels } = JSON.parse(readFileSync(`${ROOT}dashboards/pgauge-${name}.json`, 'utf8')) as Panel;
  return (panels ?? []).flatMap((panel) => [panel, ...(panel.panels ?? [])]).map(({ title }) => title);
});
const SETTINGS = ['settings', 'queries']
  .flatMap((folder) => readdirSync(`${ROOT}src/${folder}/`).map((name) => `${ROOT}src/${folder}/${name}`))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

describe.each(PAGES)('%s', (name) => {
  const page = readFileSync(`${FOLDER}${name}`, 'utf8');
  const prose = page.replaceAll(/^```[\s\S]*?^```/gm, '');
  const quoted = [...prose.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

  it('has every section of a runbook', () => {
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual(SECTIONS);
  });

  it('quotes only telemetry of the library', () => {
    for (const text of quoted.filter((text) => /^(db\.client|pgauge\.)\S+$/.test(text)))
      expect([...TELEMETRY]).toContain(text);
    for (const text of quoted.filter((text) => text.includes('rate(')))
      for (const { metric } of readQuery(text).selectors) expect([...KNOWN_METRICS.keys()]).toContain(metric);
  });

  it('quotes only log records of the library', () => {
    for (const text of quoted.filter((text) => text.startsWith('postgres ')))
      expect(MESSAGES).toContain(text);
  });

  it('names only existing panels', () => {
    for (const [, title] of prose.matchAll(/\*\*([^*]+)\*\*/g)) expect(PANELS).toContain(title);
  });

  it('quotes only options of the library', () => {
    for (const text of quoted.filter((text) => /^([a-z]\w+Ms|max\w+|min\w+|poolName)$/.test(text)))
      if (text !== 'max_connections' && !isCloseReason(text))
        expect(SETTINGS).toMatch(new RegExp(`readonly ${text}\\??:`));
  });

  it('links only to existing pages', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g)) expect(PAGES).toContain(target);
  });
});

function isCloseReason(text: string): boolean {
  return (CLOSE_REASONS as readonly string[]).includes(text);
}
