import {
  applyFieldOverrides,
  booleanOverrideProcessor,
  cacheFieldDisplayNames,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  FieldConfigOptionsRegistry,
  FieldType,
  identityOverrideProcessor,
  numberOverrideProcessor,
  stringOverrideProcessor,
  ThresholdsMode,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
  type DataFrame,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type GrafanaTheme2,
  type ThresholdsConfig,
} from '@grafana/data';
import type { Panel } from '@grafana/schema';
import { interpolate, type Values } from '../data/variables.ts';

type Process = FieldConfigPropertyItem['process'];

const standardProperties: Record<string, Process> = {
  displayName: displayNameOverrideProcessor as Process,
  unit: unitOverrideProcessor as Process,
  min: numberOverrideProcessor as Process,
  max: numberOverrideProcessor as Process,
  decimals: numberOverrideProcessor as Process,
  noValue: stringOverrideProcessor as Process,
  thresholds: thresholdsOverrideProcessor as Process,
  mappings: valueMappingsOverrideProcessor as Process,
  links: dataLinksOverrideProcessor as Process,
  fieldMinMax: booleanOverrideProcessor as Process,
  filterable: booleanOverrideProcessor as Process,
  color: identityOverrideProcessor,
};

const greenThenRed: ThresholdsConfig = {
  mode: ThresholdsMode.Absolute,
  steps: [
    { value: -Infinity, color: 'green' },
    { value: 80, color: 'red' },
  ],
};

// In Grafana, these defaults are in the panels' plugins, which are not published as packages.
const defaultsOf: Record<string, object> = {
  timeseries: {
    color: { mode: 'palette-classic' },
    custom: {
      drawStyle: 'line',
      lineInterpolation: 'linear',
      lineWidth: 1,
      fillOpacity: 0,
      gradientMode: 'none',
      barAlignment: 0,
      barWidthFactor: 0.6,
      showPoints: 'auto',
      pointSize: 5,
      spanNulls: false,
      stacking: { mode: 'none', group: 'A' },
      axisPlacement: 'auto',
      axisColorMode: 'text',
      axisBorderShow: false,
      axisCenteredZero: false,
      scaleDistribution: { type: 'linear' },
      thresholdsStyle: { mode: 'off' },
      hideFrom: { tooltip: false, viz: false, legend: false },
    },
  },
  stat: { color: { mode: 'thresholds' } },
  'state-timeline': { color: { mode: 'thresholds' }, custom: { fillOpacity: 70, lineWidth: 0 } },
  table: {
    color: { mode: 'thresholds' },
    custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
  },
};

/** Sets every field's unit, thresholds, colour and display from the panel's defaults and overrides. */
export function withFieldConfig(
  frames: DataFrame[],
  panel: Panel,
  theme: GrafanaTheme2,
  values: Values,
  timeZone: string,
): DataFrame[] {
  const fieldConfig = fieldConfigOf(panel);
  const configured = applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: registryFor(fieldConfig),
    replaceVariables: (text) => interpolate(text, values),
    theme,
    timeZone,
  });
  // Tables and legends read the cached names.
  cacheFieldDisplayNames(configured);
  return configured;
}

export function fieldConfigOf(panel: Panel): FieldConfigSource {
  const own = (panel.fieldConfig ?? { defaults: {}, overrides: [] }) as unknown as FieldConfigSource;
  const defaults = (defaultsOf[panel.type] ?? {}) as FieldConfigSource['defaults'];
  return {
    defaults: {
      thresholds: greenThenRed,
      ...defaults,
      ...own.defaults,
      custom: { ...(defaults.custom as object), ...(own.defaults.custom as object) } as unknown,
    },
    overrides: own.overrides,
  };
}

function registryFor({ defaults, overrides }: FieldConfigSource): FieldConfigOptionsRegistry {
  const custom = new Set([
    ...Object.keys(defaults.custom as object),
    ...overrides
      .flatMap(({ properties }) => properties.map(({ id }) => id))
      .filter((id) => id.startsWith('custom.'))
      .map((id) => id.slice('custom.'.length)),
  ]);
  return new FieldConfigOptionsRegistry(() => [
    ...Object.entries(standardProperties).map(([id, process]) => property(id, id, false, process)),
    ...[...custom].map((path) => property(`custom.${path}`, path, true, identityOverrideProcessor)),
  ]);
}

function property(id: string, path: string, isCustom: boolean, process: Process): FieldConfigPropertyItem {
  const editor = () => null;
  return {
    id,
    path,
    name: id,
    isCustom,
    process,
    // As in Grafana, time axes have no label.
    shouldApply: ({ type }) => id !== 'custom.axisLabel' || type !== FieldType.time,
    settings: {},
    editor,
    override: editor,
  };
}
