import { describe, expect, it } from 'vitest';
import { CONNECTION_STATES } from '../../../src/telemetry/names.js';
import { allPanels, readDashboard } from '../../support/dashboard-queries.js';

/** The parts of a panel that the conventions cover, besides those that queries need. */
interface Panel {
  readonly id: number;
  readonly type: 'row' | 'stat' | 'timeseries' | 'state-timeline' | 'heatmap' | 'table';
  readonly title: string;
  readonly description?: string;
  readonly collapsed?: boolean;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly expr: string;
    readonly refId: string;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
    readonly format: string;
  }[];
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit: string;
      readonly min: number;
      readonly noValue: string;
      readonly mappings?: readonly unknown[];
      readonly thresholds?: {
        readonly steps: readonly { readonly value: number | null; readonly color: string }[];
      };
      readonly custom: {
        readonly axisLabel?: string;
        readonly spanNulls?: boolean;
        readonly insertNulls?: boolean;
      };
    };
    readonly overrides: readonly {
      readonly matcher: { readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly panels?: readonly Panel[];
}

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly editable: boolean;
  readonly tags: readonly string[];
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Record<string, unknown>[] };
  readonly annotations: { readonly list: readonly Record<string, unknown>[] };
  readonly links: readonly Record<string, unknown>[];
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
const BASE_UNITS = ['s', 'short', 'percentunit', 'cps', 'ops', 'reqps'];

const read = (uid: string) => readDashboard(uid) as unknown as Dashboard;
const [pool, queries, auth] = [read('pgauge-pool'), read('pgauge-queries'), read('pgauge-auth')];
const dashboards = [pool, queries, auth];
const drawn = dashboards.flatMap((dashboard) =>
  allPanels(dashboard.panels)
    .filter(({ type }) => type !== 'row')
    .map((panel) => ({ dashboard: dashboard.uid, title: panel.title, panel })),
);

describe.each(dashboards)('the dashboard $uid', (dashboard) => {
  const { templating, annotations, links } = dashboard;
  const panels = allPanels(dashboard.panels);

  it('has a datasource variable and no inputs on import', () => {
    expect(templating.list[0]).toMatchObject({
      name: 'datasource',
      label: 'Data source',
      type: 'datasource',
      query: 'prometheus',
    });
    expect(dashboard).not.toHaveProperty('__inputs');
  });

  it('has the variables job, instance and pool', () => {
    expect(templating.list.slice(1)).toEqual(
      [
        ['job', 'Job'],
        ['instance', 'Instance'],
        ['pool', 'Pool'],
      ].map(([name, label]): unknown =>
        expect.objectContaining({
          name,
          label,
          type: 'query',
          datasource: DATASOURCE,
          multi: true,
          includeAll: true,
          allValue: '.+',
          refresh: 2,
          current: expect.objectContaining({ value: ['$__all'] }) as unknown,
        }),
      ),
    );
  });

  it('links to the others with time range and variables', () => {
    const others = dashboards.filter((one) => one !== dashboard);
    expect(links).toEqual(
      others.map(({ uid }): unknown =>
        expect.objectContaining({ type: 'link', url: `/d/${uid}`, keepTime: true, includeVars: true }),
      ),
    );
  });

  it('marks firing alerts and changes of the limit', () => {
    const common = { datasource: DATASOURCE, enable: true, hide: false };
    expect(annotations.list).toMatchObject([
      {
        ...common,
        target: {
          expr: expect.stringMatching(/^ALERTS\{alertname=~"Pgauge\.\*", alertstate="firing"/) as unknown,
        },
      },
      {
        ...common,
        target: {
          expr: expect.stringMatching(/db_client_connection_limit.* != .* offset \$__interval/) as unknown,
        },
      },
    ]);
  });

  it('has the classic schema, is tagged, and is not editable', () => {
    expect(dashboard).toMatchObject({ schemaVersion: 38, editable: false });
    expect(dashboard.tags).toContain('pgauge');
  });

  it('has a unique id for every panel and row', () => {
    const ids = panels.map(({ id }) => id);
    for (const id of ids) expect(id).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('lets no panel overlap another or leave the grid', () => {
    const groups = [dashboard.panels, ...dashboard.panels.map((row) => row.panels ?? [])];
    for (const group of groups) {
      for (const [index, { gridPos: a }] of group.entries()) {
        expect(a.x + a.w).toBeLessThanOrEqual(24);
        for (const { gridPos: b } of group.slice(index + 1)) {
          const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
          expect({ a, b, apart }).toMatchObject({ apart: true });
        }
      }
    }
  });

  it('keeps the panels of a collapsed row in it, below its heading', () => {
    for (const row of dashboard.panels.filter(({ type }) => type === 'row')) {
      expect((row.panels ?? []).length > 0).toBe(row.collapsed);
      for (const { gridPos } of row.panels ?? []) expect(gridPos.y).toBeGreaterThan(row.gridPos.y);
    }
  });

  it('uses one colour per series name', () => {
    const colors = new Map<string, unknown>();
    for (const { fieldConfig } of panels.filter(({ type }) => type === 'timeseries')) {
      for (const { matcher, properties } of fieldConfig.overrides) {
        const color = properties.find(({ id }) => id === 'color')?.value;
        // "idle" is a state of connections and a reason to close them.
        if (color === undefined || matcher.options === 'idle') continue;
        expect(color).toEqual(colors.get(matcher.options) ?? color);
        colors.set(matcher.options, color);
      }
    }
    if (dashboard === pool) {
      for (const state of CONNECTION_STATES.filter((one) => one !== 'idle'))
        expect([...colors.keys()]).toContain(state);
    }
  });
});

describe.each(drawn)('the panel $title of $dashboard', ({ panel }) => {
  const { defaults } = panel.fieldConfig;

  it('queries the selected datasource in every target', () => {
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const { datasource } of [panel, ...(panel.targets ?? [])]) expect(datasource).toEqual(DATASOURCE);
    const refIds = panel.targets?.map(({ refId }) => refId);
    expect(new Set(refIds).size).toBe(refIds?.length);
  });

  it('has a description with its meaning and what to do', () => {
    const [means = '', todo = ''] = panel.description?.split('\n\n**What to do:** ') ?? [];
    expect(means.length).toBeGreaterThan(30);
    expect(todo.length).toBeGreaterThan(30);
    expect(panel.title).not.toBe('');
  });

  it('uses base units, from 0', () => {
    const overridden = panel.fieldConfig.overrides.flatMap(({ properties }) =>
      properties.filter(({ id }) => id === 'unit').map(({ value }) => value),
    );
    for (const unit of [defaults.unit, ...overridden]) expect(BASE_UNITS).toContain(unit);
    expect(defaults.min).toBe(0);
  });

  it('names the counted thing if a number has no unit', () => {
    if (panel.type === 'timeseries' && defaults.unit === 'short')
      expect(defaults.custom.axisLabel).toMatch(/^[a-z]+$/);
  });

  it('draws nothing without data', () => {
    expect(defaults.noValue).toBe('no data');
    const noData = { match: 'null', result: { text: 'no data', color: 'text' } };
    expect(defaults.mappings ?? []).toEqual(
      panel.type === 'stat'
        ? [{ type: 'special', options: noData }]
        : panel.type === 'state-timeline'
          ? [
              {
                type: 'value',
                options: expect.objectContaining({ 1: expect.anything() as unknown }) as unknown,
              },
            ]
          : [],
    );
    if (panel.type === 'timeseries') {
      expect(defaults.custom.spanNulls).toBe(false);
      expect(defaults.custom.insertNulls ?? false).toBe(false);
    }
  });

  it('has its thresholds in order, and every stat panel has some', () => {
    const steps = defaults.thresholds?.steps ?? [];
    if (panel.type === 'stat') expect(steps.length).toBeGreaterThan(1);
    if (steps.length > 0) expect(steps[0]?.value).toBeNull();
    const values = steps.slice(1).map(({ value }) => value ?? Number.NaN);
    expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  it('explains a window that is not the rate interval', () => {
    const fixed = panel.targets?.some(({ expr }) => /\[\d+[hd]\]/.test(expr)) ?? false;
    expect(/covers the preceding hour, because .* rare/.test(panel.description ?? '')).toBe(fixed);
    for (const { expr } of panel.targets ?? []) expect(expr).not.toMatch(/\[\d+[sm]\]/);
  });

  it('has readable legends of labels that the result has', () => {
    for (const { legendFormat, expr, format } of panel.targets ?? []) {
      if (format === 'table') continue;
      expect(legendFormat).not.toBe('');
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(grouped).toContain(label);
    }
  });

  it('is a heatmap of buckets if its format is', () => {
    for (const { format, expr, legendFormat } of panel.targets ?? []) {
      expect(format === 'heatmap').toBe(panel.type === 'heatmap');
      expect(format === 'table').toBe(panel.type === 'table');
      if (format === 'heatmap') {
        expect(expr).toMatch(/^sum by \(le\) \(rate\(/);
        expect(legendFormat).toBe('{{le}}');
        expect(panel).toMatchObject({ options: { calculate: false, yAxis: { unit: 's' } } });
      }
    }
  });
});

describe('the content of the dashboards', () => {
  const rows = (dashboard: Dashboard) =>
    dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);

  it('shows the pool: symptoms first, then causes', () => {
    expect(rows(pool)).toEqual([
      'Healthy?',
      'Saturation',
      'Acquire latency',
      'Connections',
      'Queries',
      'Pipelining',
      'Instances',
    ]);
    expect(pool.panels.filter(({ collapsed }) => collapsed === true).map(({ title }) => title)).toEqual([
      'Queries',
      'Pipelining',
    ]);
  });

  it('shows queries: their health, the summaries, and the causes', () => {
    expect(rows(queries)).toEqual([
      'Healthy?',
      'Rate, errors, latency',
      'Which query?',
      'Failures',
      'Waiting',
    ]);
  });

  it('shows authentication: tokens, credentials, logins', () => {
    expect(rows(auth)).toEqual(['Healthy?', 'Token refresh', 'Credentials', 'Logins']);
  });

  it.each([
    ['Credentials validity left', [120]],
    ['New connections of the fleet', [150, 200]],
  ])('draws the thresholds of %s at %j', (title, lines) => {
    const steps = allPanels(auth.panels).find((panel) => panel.title === title)?.fieldConfig.defaults
      .thresholds?.steps;
    expect(steps?.slice(1).map(({ value }) => value)).toEqual(lines);
  });

  it('links an instance in the table to the dashboards of that instance, with time range and selection', () => {
    const table = allPanels(pool.panels).find(({ type }) => type === 'table');
    const links = table?.fieldConfig.overrides
      .find(({ matcher }) => matcher.options === 'Instance')
      ?.properties.find(({ id }) => id === 'links')?.value;
    expect(links).toEqual(
      [pool, queries, auth].map(({ uid }): unknown =>
        expect.objectContaining({
          url: `/d/${uid}?\${__url_time_range}&\${datasource:queryparam}&\${job:queryparam}&\${pool:queryparam}&var-instance=\${__value.raw}`,
        }),
      ),
    );
  });
});
