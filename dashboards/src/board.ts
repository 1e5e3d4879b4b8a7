/** A dashboard, without the redundant parts of Grafana's format. */
export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Start of the initial time range. */
  readonly from: string;
  readonly variables: readonly { readonly name: string; readonly label: string; readonly query: string }[];
  readonly annotations: readonly Annotation[];
  readonly links: readonly { readonly title: string; readonly uid: string; readonly tooltip: string }[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly id: number;
  readonly title: string;
  readonly collapsed?: boolean;
  readonly panels: readonly PanelSpec[];
}

export type PanelSpec = StatPanel | TimeseriesPanel | StateTimelinePanel | HeatmapPanel | TablePanel;

export interface Query {
  readonly expr: string;
  readonly legend: string;
  /** Evaluated only at the end of the time range. */
  readonly instant?: boolean;
  readonly format?: 'series' | 'heatmap' | 'table';
  readonly exemplar?: boolean;
}

/** Colours with the values at which they start; the first has no value. */
export type Thresholds = readonly [first: readonly [null, string], ...rest: (readonly [number, string])[]];

interface Common {
  /** Links and alerts refer to it, so it must never be reused for another panel. */
  readonly id: number;
  readonly title: string;
  readonly says: string;
  readonly todo: string;
  readonly unit: string;
  readonly width: number;
  readonly height: number;
}

export interface StatPanel extends Common {
  readonly type: 'stat';
  readonly query: Query;
  readonly calc?: 'lastNotNull' | 'max';
  readonly decimals?: number;
  readonly thresholds: Thresholds;
}

export interface TimeseriesPanel extends Common {
  readonly type: 'timeseries';
  readonly queries: readonly Query[];
  /** The counted thing, for the axis of a number without a unit. */
  readonly axisLabel?: string;
  readonly max?: number;
  /** The minimum upper end of the axis: with zeros only, it would reach to 100. */
  readonly softMax?: number;
  readonly stacked?: boolean;
  /** A legend sorted by the largest value, for many series. */
  readonly tableLegend?: boolean;
  readonly thresholds?: Thresholds;
  readonly colors?: Readonly<Record<string, string>>;
  /** Series that are drawn as lines while the others are stacked. */
  readonly lines?: readonly string[];
  /** Series with their own unit on the right axis. */
  readonly rightAxis?: Readonly<Record<string, string>>;
}

/** A line per series, in the colour of its state. */
export interface StateTimelinePanel extends Common {
  readonly type: 'state-timeline';
  readonly query: Query;
  readonly states: readonly { readonly value: number; readonly text: string; readonly color: string }[];
}

export interface HeatmapPanel extends Common {
  readonly type: 'heatmap';
  readonly query: Pick<Query, 'expr'>;
  readonly cellUnit: string;
}

export interface TablePanel extends Common {
  readonly type: 'table';
  readonly keys: readonly {
    readonly label: string;
    readonly title: string;
    /** In pixels; default an equal share. */
    readonly width?: number;
    readonly links?: readonly { readonly title: string; readonly url: string }[];
  }[];
  readonly columns: readonly {
    readonly title: string;
    readonly expr: string;
    readonly unit: string;
    readonly decimals?: number;
    readonly thresholds?: Thresholds;
  }[];
  /** The title of the column by which rows are sorted, in descending order. */
  readonly sortBy?: string;
}

export interface Annotation {
  readonly name: string;
  readonly expr: string;
  readonly color: string;
  readonly title: string;
  readonly text: string;
  readonly tagLabels: readonly string[];
}
