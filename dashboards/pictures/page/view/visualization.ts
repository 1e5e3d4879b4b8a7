import type { DataFrame, GrafanaTheme2, TimeRange } from '@grafana/data';
import type { Panel } from '@grafana/schema';
import type { AnnotationMark } from '../data/annotations.ts';
import type { ExemplarMark } from '../data/exemplars.ts';
import type { Values } from '../data/variables.ts';

/** The props of every kind of panel. */
export interface VisualizationProps {
  panel: Panel;
  frames: DataFrame[];
  exemplars: ExemplarMark[];
  annotations: AnnotationMark[];
  width: number;
  height: number;
  range: TimeRange;
  timeZone: string;
  theme: GrafanaTheme2;
  values: Values;
}
