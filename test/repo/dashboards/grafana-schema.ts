import { readFileSync } from 'node:fs';
import { Ajv, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv';

type Registry = 'units' | 'matchers' | 'transformers' | 'reducers' | 'colorModes';
type Json = Readonly<Record<string, unknown>>;

interface FieldConfig {
  readonly defaults: Json;
  readonly overrides: readonly {
    readonly matcher: { readonly id: string };
    readonly properties: readonly { readonly id: string; readonly value: unknown }[];
  }[];
}

interface Panel extends Json {
  readonly type: string;
  readonly title: string;
  readonly panels?: readonly Panel[];
  readonly transformations?: readonly { readonly id: string }[];
  readonly fieldConfig: FieldConfig;
}

/** A dashboard as read from its file, not yet checked. */
export interface UnknownDashboard extends Json {
  readonly panels: readonly unknown[];
}

/** What one major version of Grafana publishes about its dashboards, made by `dashboards/schema`. */
export interface Grafana {
  readonly version: string;
  /** The problems of a dashboard, each with its place. */
  problems(dashboard: UnknownDashboard): readonly string[];
}

export function grafana(major: number): Grafana {
  const file = new URL(`../../../dashboards/schema/grafana-${major}.json`, import.meta.url);
  const { version, registries, schemas } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly version: string;
    readonly registries: Readonly<Record<Registry, readonly string[]>>;
    readonly schemas: Readonly<Record<string, AnySchema>>;
  };
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  const validators = new Map<string, ValidateFunction>(
    Object.entries(schemas).map(([type, schema]) => [type, ajv.compile(schema)]),
  );

  function invalid(type: string, value: unknown, where: string): readonly string[] {
    const validate = validators.get(type);
    if (validate === undefined) return [`${where}: no panel is of the type ${type}`];
    return validate(value) ? [] : (validate.errors ?? []).map((error) => `${where}${textOf(error)}`);
  }

  function panelProblems(panel: Panel): readonly string[] {
    const where = `${panel.type} "${panel.title}" `;
    const own = invalid(panel.type, panel, where);
    if (panel.type === 'row') return [...own, ...(panel.panels ?? []).flatMap(panelProblems)];
    const { defaults, overrides } = panel.fieldConfig;
    return [
      ...own,
      ...names(panel, where),
      // The value of an override must fit the schema of the field it sets.
      ...overrides
        .flatMap(({ properties }) =>
          properties.flatMap(({ id, value }) => {
            const fieldConfig = { defaults: changed(defaults, id.split('.'), value), overrides: [] };
            return invalid(panel.type, { ...panel, fieldConfig }, `${where}override ${id} `);
          }),
        )
        .filter((problem) => !own.some((one) => problem.endsWith(one.slice(where.length)))),
    ];
  }

  function names(panel: Panel, where: string): readonly string[] {
    const { overrides } = panel.fieldConfig;
    const used: readonly (readonly [Registry, readonly unknown[]])[] = [
      ['units', [...under(panel, 'unit'), ...set(overrides, 'unit')]],
      ['matchers', overrides.map(({ matcher }) => matcher.id)],
      ['transformers', (panel.transformations ?? []).map(({ id }) => id)],
      ['reducers', under(panel, 'calcs').flat()],
      [
        'colorModes',
        [panel.fieldConfig.defaults['color'], ...set(overrides, 'color')]
          .filter((color) => color !== undefined)
          .map((color) => (color as { readonly mode?: unknown }).mode),
      ],
    ];
    return used.flatMap(([registry, all]) =>
      all
        .filter((name) => !(registries[registry] as readonly unknown[]).includes(name))
        .map((name) => `${where}${String(name)} is none of the ${registry}`),
    );
  }

  return {
    version,
    problems: (dashboard) => [
      ...invalid('dashboard', dashboard, 'dashboard '),
      ...(dashboard.panels as readonly Panel[]).flatMap(panelProblems),
    ],
  };
}

function textOf({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`;
}

/** Every value of this key, at any depth. */
function under(value: unknown, key: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => [
    ...(name === key ? [one as unknown] : []),
    ...under(one, key),
  ]);
}

function set(overrides: FieldConfig['overrides'], id: string): readonly unknown[] {
  return overrides.flatMap(({ properties }) =>
    properties.filter((one) => one.id === id).map(({ value }) => value),
  );
}

function changed(config: Json, [key = '', ...rest]: readonly string[], value: unknown): Json {
  return {
    ...config,
    [key]: rest.length === 0 ? value : changed((config[key] ?? {}) as Json, rest, value),
  };
}
