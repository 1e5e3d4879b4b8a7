import type { AnnotationQuery } from '@grafana/schema';
import { marksOf, type AnnotationMark } from './annotations.ts';
import { intervalsFor, intervalVariables } from './intervals.ts';
import type { DataContext } from './panel-data.ts';
import { queryRange } from './prometheus.ts';
import { interpolate } from './variables.ts';

/** The relevant fields of an annotation's query, and the annotation's fields that only Prometheus has. */
interface PrometheusTarget {
  expr?: string;
  interval?: string;
}
interface PrometheusAnnotation {
  titleFormat?: string;
}

/** The dashboard's annotations from queries; there is no Grafana with stored ones. */
export async function fetchMarks(
  queries: AnnotationQuery[],
  context: DataContext,
): Promise<AnnotationMark[]> {
  const marks = await Promise.all(
    queries.map(async (annotation) => {
      const { expr, interval } = (annotation.target ?? {}) as PrometheusTarget;
      const { titleFormat } = annotation as PrometheusAnnotation;
      if (expr === undefined || !annotation.enable) return [];
      const { range, scrapeInterval, values } = context;
      const intervals = intervalsFor(range, 1000, scrapeInterval, interval && interpolate(interval, values));
      const answer = await queryRange(
        interpolate(expr, { ...values, ...intervalVariables(range, intervals) }),
        range.from.valueOf(),
        range.to.valueOf(),
        intervals.stepMs,
      );
      return marksOf(answer, intervals.stepMs, annotation.iconColor, titleFormat ?? annotation.name);
    }),
  );
  return marks.flat();
}
