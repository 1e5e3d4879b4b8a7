import { readFileSync } from 'node:fs';

/** The parts of a dashboard's JSON that runners and tests read. */
export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly VariableJson[] };
  readonly annotations: { readonly list: readonly AnnotationJson[] };
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly TargetJson[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  /** The panels of a collapsed row. */
  readonly panels?: readonly PanelJson[];
}

interface TargetJson {
  readonly refId: string;
  readonly expr: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly format: 'time_series' | 'table' | 'heatmap';
  readonly exemplar: boolean;
}

interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
}

interface AnnotationJson {
  readonly name: string;
  readonly target: { readonly expr: string };
}

/** One query as Grafana would send it, with its variables not yet replaced. */
export interface PanelQuery {
  readonly dashboard: string;
  readonly panelId: number;
  readonly panelTitle: string;
  readonly refId: string;
  readonly expr: string;
  /** At one time, or over the time range. */
  readonly kind: 'instant' | 'range';
  readonly format: TargetJson['format'];
  readonly exemplar: boolean;
}

/** `label_values(selector, label)`: the values of a label on the series that a selector matches. */
export interface VariableQuery {
  readonly dashboard: string;
  readonly variable: string;
  readonly selector: string;
  readonly label: string;
}

export interface AnnotationQuery {
  readonly dashboard: string;
  readonly name: string;
  readonly expr: string;
}

/** Values for Grafana's variables; each of `job`, `instance` and `pool` is a pattern. */
export interface VariableValues {
  readonly job: string;
  readonly instance: string;
  readonly pool: string;
  /** The step, as a duration such as `15s`. */
  readonly interval: string;
  /** A duration such as `1m`. */
  readonly rateInterval: string;
  /** The length of the time range in seconds. */
  readonly rangeS: number;
}

const LABEL_VALUES = /^label_values\((.+),\s*(\w+)\)$/;

export function readDashboard(uid: string): DashboardJson {
  const file = new URL(`../../dashboards/${uid}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as DashboardJson;
}

/** All panels, including rows and the panels of collapsed rows. */
export function allPanels<P extends { readonly panels?: readonly P[] }>(panels: readonly P[]): P[] {
  return panels.flatMap((panel) => [panel, ...allPanels(panel.panels ?? [])]);
}

export function panelQueries({ uid, panels }: Pick<DashboardJson, 'uid' | 'panels'>): PanelQuery[] {
  return allPanels(panels).flatMap((panel) =>
    (panel.targets ?? []).map(({ refId, expr, instant, format, exemplar }) => ({
      dashboard: uid,
      panelId: panel.id,
      panelTitle: panel.title,
      refId,
      expr,
      kind: instant ? ('instant' as const) : ('range' as const),
      format,
      exemplar,
    })),
  );
}

export function variableQueries({
  uid,
  templating,
}: Pick<DashboardJson, 'uid' | 'templating'>): VariableQuery[] {
  return templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => {
      const text = typeof query === 'string' ? query : query.query;
      const [, selector, label] = LABEL_VALUES.exec(text) ?? [];
      if (selector === undefined || label === undefined) {
        throw new Error(`variable ${name} of ${uid} does not ask for the values of a label: ${text}`);
      }
      return { dashboard: uid, variable: name, selector, label };
    });
}

export function annotationQueries({
  uid,
  annotations,
}: Pick<DashboardJson, 'uid' | 'annotations'>): AnnotationQuery[] {
  return annotations.list.map(({ name, target }) => ({ dashboard: uid, name, expr: target.expr }));
}

/**
 * An expression that Prometheus understands; throws for an unknown variable. `$1` stays: it is a group of a pattern.
 */
export function withVariables(expr: string, values: VariableValues): string {
  const known: Readonly<Record<string, string>> = {
    __interval: values.interval,
    __rate_interval: values.rateInterval,
    __range: `${values.rangeS}s`,
    __range_s: String(values.rangeS),
    job: values.job,
    instance: values.instance,
    pool: values.pool,
  };
  return expr.replace(/\$([A-Za-z_]\w*)/g, (_, name: string) => {
    const value = known[name];
    if (value === undefined) throw new Error(`variable $${name} is not known in ${expr}`);
    return value;
  });
}
