import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';

/**
 * Fields that the SDK adds by itself and that one of the major versions does not know. They are Grafana's defaults,
 * except `placement`, which would hide links and the switches of annotations in a menu.
 */
const DASHBOARD_WRITES = {
  links: ['placement'],
  annotations: ['placement'],
  variables: ['allowCustomValue', 'auto', 'auto_min', 'auto_count'],
} as const;
const PANEL_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  stat: ['percentChangeColorMode'],
  heatmap: ['selectionMode'],
  table: ['footer'],
  'state-timeline': ['perPage'],
};

/* eslint-disable @typescript-eslint/no-deprecated -- Grafana 10 and 11 know only the classic schema. */
/** Removes the fields that not every major version knows. */
export function forEveryMajor(dashboard: Dashboard): Dashboard {
  const { links, annotations, templating, panels } = dashboard;
  for (const link of links ?? []) drop(link, DASHBOARD_WRITES.links);
  for (const annotation of annotations.list ?? []) drop(annotation, DASHBOARD_WRITES.annotations);
  for (const variable of templating.list ?? []) drop(variable, DASHBOARD_WRITES.variables);
  for (const panel of panels ?? []) {
    const all: readonly (Panel | RowPanel)[] = 'panels' in panel ? panel.panels : [panel];
    for (const one of all) {
      if ('options' in one && one.options !== undefined)
        drop(one.options as object, PANEL_OPTIONS[one.type] ?? []);
    }
  }
  return dashboard;
}

function drop(from: object, keys: readonly string[]): void {
  for (const key of keys) Reflect.deleteProperty(from, key);
}
