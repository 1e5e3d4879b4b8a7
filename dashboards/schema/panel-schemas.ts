import { mkdtempSync, readdirSync, rmSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGenerator } from 'ts-json-schema-generator';
import { type Major, schemaFolder } from './packages.js';

/** Grafana's names of the supported panels, with the folders of their types. */
const PANELS = {
  timeseries: 'timeseries',
  stat: 'stat',
  table: 'table',
  heatmap: 'heatmap',
  'state-timeline': 'statetimeline',
} as const;

type JsonSchema = Readonly<Record<string, unknown>>;

/** JSON Schemas of the dashboard and of a row, both without their panels, and of each panel, by type. */
export function panelSchemas(major: Major): Readonly<Record<string, JsonSchema>> {
  const folder = mkdtempSync(join(import.meta.dirname, 'node_modules/.types-'));
  try {
    const path = join(folder, 'types.ts');
    const tsconfig = join(folder, 'tsconfig.json');
    writeFileSync(path, typesOf(major));
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions: compilerOptions(major), files: ['types.ts'] }));
    const { properties } = createGenerator({
      ...{ path, tsconfig, type: 'Types' },
      ...{ additionalProperties: false, expose: 'none', topRef: false, jsDoc: 'none' },
    }).createSchema('Types');
    return Object.fromEntries(
      Object.entries(properties ?? {}).map(([name, schema]) => [name, withDefaults(schema as JsonSchema)]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The types of version 11 import their own package by name, which is installed under another name here. */
function compilerOptions(major: Major): object {
  const index = ['dist/types/index.d.ts', 'dist/index.d.ts']
    .map((file) => join(schemaFolder(major), file))
    .find((file) => existsSync(file));
  return {
    ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler' },
    ...{ strict: true, skipLibCheck: true, types: [], paths: { '@grafana/schema': [index] } },
  };
}

/**
 * Grafana's types do not define options, queries and a data source's fields of an annotation: here they are those that
 * the panel and the Prometheus data source read. `titleFormat`, `textFormat` and `tagKeys` are read at the root of an
 * annotation.
 */
function typesOf(major: Major): string {
  const raw = ['dist/types/raw', 'dist/esm/raw']
    .map((path) => join(schemaFolder(major), path))
    .find((path) => existsSync(path));
  if (raw === undefined) throw new Error(`@grafana/schema ${major} has no types where they were`);
  const types = (path: string): string => {
    const folder = join(raw, path);
    const file = readdirSync(folder).find((name) => name.endsWith('types.gen.d.ts'));
    return JSON.stringify(join(folder, file ?? '').replace(/\.d\.ts$/, ''));
  };
  const panels = Object.entries(PANELS);
  return `
import type * as dashboard from ${types('dashboard/x')};
import type { DataQuery } from '@grafana/schema';
${panels.map(([, folder]) => `import type * as ${folder} from ${types(`composable/${folder}/panelcfg/x`)};`).join('\n')}
interface PrometheusQuery extends DataQuery {
  datasource?: dashboard.DataSourceRef;
  expr: string;
  legendFormat?: string;
  interval?: string;
  intervalFactor?: number;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
  exemplar?: boolean;
  editorMode?: 'code' | 'builder';
}
interface Annotation extends Omit<dashboard.AnnotationQuery, 'target'> {
  target: PrometheusQuery;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
}
interface Variable extends Omit<dashboard.VariableModel, 'query'> {
  query?: string | { query: string; refId: string };
  definition?: string;
}
interface Panel<Type, Options, Custom> extends Omit<dashboard.Panel, 'type' | 'options' | 'fieldConfig' | 'targets' | 'gridPos'> {
  type: Type;
  id: number;
  title: string;
  gridPos: dashboard.GridPos;
  targets: PrometheusQuery[];
  options: Options;
  fieldConfig: Omit<dashboard.FieldConfigSource, 'defaults'> & { defaults: Omit<dashboard.FieldConfig, 'custom'> & { custom?: Custom } };
}
export interface Types {
  dashboard: Omit<dashboard.Dashboard, 'panels' | 'annotations' | 'templating'> & {
    panels: unknown[];
    annotations: { list: Annotation[] };
    templating: { list: Variable[] };
  };
  row: Omit<dashboard.RowPanel, 'panels'> & { panels: unknown[] };
${panels
  .map(([type, folder]) => {
    // A stat panel has no field options.
    const custom = folder === 'stat' ? 'Record<string, never>' : `${folder}.FieldConfig`;
    return `  '${type}': Panel<'${type}', ${folder}.Options, ${custom}>;`;
  })
  .join('\n')}
}
`;
}

/** Makes the options of a panel and of its fields optional, because Grafana fills in missing ones. */
function withDefaults(schema: JsonSchema, inOptions = false): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !(inOptions && key === 'required' && Array.isArray(schema[key])))
      .map(([key, value]) => [key, deeper(value, inOptions || key === 'options' || key === 'custom')]),
  );
}

function deeper(value: unknown, inOptions: boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => deeper(one, inOptions));
  return typeof value === 'object' && value !== null ? withDefaults(value as JsonSchema, inOptions) : value;
}
