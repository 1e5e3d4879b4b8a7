import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS } from '../../../dashboards/src/files.js';
import { grafana, type UnknownDashboard } from './grafana-schema.js';

/** The parts of a dashboard into which the mistakes below are planted. */
interface Planted extends UnknownDashboard {
  refresh: unknown;
  readonly links: Record<string, unknown>[];
  readonly annotations: { readonly list: Record<string, unknown>[] };
  readonly templating: { readonly list: Record<string, unknown>[] };
  readonly panels: PlantedPanel[];
}

interface PlantedPanel {
  type: string;
  gridPos?: unknown;
  targets: Record<string, unknown>[];
  options: Record<string, unknown>;
  transformations: Record<string, unknown>[];
  readonly fieldConfig: {
    readonly defaults: Record<string, unknown> & { readonly custom: Record<string, unknown> };
    readonly overrides: { matcher: unknown; properties: { id: string; value: unknown }[] }[];
  };
}

const MAJORS = [11, 12, 13].map(grafana);
const texts = DASHBOARDS.map(({ board, file }) => ({ uid: board.uid, text: readFileSync(file, 'utf8') }));

function planted(plant: (dashboard: Planted) => void): UnknownDashboard {
  const dashboard = JSON.parse(texts.find(({ uid }) => uid === 'pgauge-pool')?.text ?? '') as Planted;
  plant(dashboard);
  return dashboard;
}

function panel(type: string, { panels }: Planted): PlantedPanel {
  const found = panels.find((one) => one.type === type);
  if (found === undefined) throw new Error(`the dashboard has no ${type}`);
  return found;
}

describe.each(MAJORS)('Grafana $version', ({ problems }) => {
  it.each(texts)('accepts every field of $uid', ({ text }) => {
    expect(problems(JSON.parse(text) as UnknownDashboard)).toEqual([]);
  });

  it.each<[string, (dashboard: Planted) => void, RegExp]>([
    ['a setting of the dashboard', (d) => Object.assign(d, { refreshEvery: '30s' }), /"refreshEvery"/],
    ['a refresh that is a number', (d) => (d.refresh = 30), /\/refresh must be/],
    [
      'a field of an annotation',
      (d) => Object.assign(d.annotations.list[0] ?? {}, { step: '15s' }),
      /"step"/,
    ],
    ['a variable without a type', (d) => delete d.templating.list[1]?.['type'], /"missingProperty":"type"/],
    ['a kind of link', (d) => Object.assign(d.links[0] ?? {}, { type: 'page' }), /\/links\/0\/type must be/],
    ['a type of panel', (d) => (panel('stat', d).type = 'singlestat'), /the type singlestat/],
    ['a panel without a place', (d) => delete panel('stat', d).gridPos, /"missingProperty":"gridPos"/],
    [
      'a query without an expression',
      (d) => delete panel('stat', d).targets[0]?.['expr'],
      /"missingProperty":"expr"/,
    ],
    [
      'an option of a panel',
      (d) => Object.assign(panel('timeseries', d).options, { legends: {} }),
      /\/options .*"legends"/,
    ],
    [
      "an option's value",
      (d) => Object.assign(panel('stat', d).options, { colorMode: 'colour' }),
      /\/options\/colorMode must be/,
    ],
    [
      'an option of a field',
      (d) => Object.assign(panel('timeseries', d).fieldConfig.defaults.custom, { spanNull: true }),
      /"spanNull"/,
    ],
    [
      'a stacking group that is not a string',
      (d) =>
        panel('timeseries', d).fieldConfig.overrides.push({
          matcher: { id: 'byName', options: 'limit' },
          properties: [{ id: 'custom.stacking', value: { group: false, mode: 'none' } }],
        }),
      /override custom\.stacking .*group must be string/,
    ],
    [
      'what an override sets',
      (d) =>
        panel('table', d).fieldConfig.overrides.push({
          matcher: { id: 'byName', options: 'Used' },
          properties: [{ id: 'custom.widht', value: 80 }],
        }),
      /"widht"/,
    ],
    [
      'a matcher',
      (d) => panel('table', d).fieldConfig.overrides.push({ matcher: { id: 'byTitle' }, properties: [] }),
      /byTitle is none of the matchers/,
    ],
    [
      'a transformation',
      (d) => panel('table', d).transformations.push({ id: 'organise', options: {} }),
      /organise is none of the transformers/,
    ],
    [
      'a unit',
      (d) => (panel('stat', d).fieldConfig.defaults['unit'] = 'seconds'),
      /seconds is none of the units/,
    ],
    [
      'a calculation',
      (d) => (panel('stat', d).options['reduceOptions'] = { calcs: ['latest'], values: false }),
      /latest is none of the reducers/,
    ],
    [
      'a mode of colours',
      (d) => (panel('timeseries', d).fieldConfig.defaults['color'] = { mode: 'palette-rainbow' }),
      /palette-rainbow is none of the colorModes/,
    ],
  ])('rejects an invalid dashboard: %s', (_what, plant, problem) => {
    expect(problems(planted(plant))).toContainEqual(expect.stringMatching(problem));
  });
});
