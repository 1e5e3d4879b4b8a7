import type { AnnotationQuery } from '@grafana/schema';
import { marksOf, type AnnotationMark } from './annotations.ts';
import { intervalsFor, intervalVariables } from './intervals.ts';
import type { DataContext } from './panel-data.ts';
import { queryRange } from './prometheus.ts';
import { interpolate } from './variables.ts';

/** What this reads of an annotation that asks Prometheus. */
interface PrometheusAnnotation {
  expr?: string;
  step?: string;
  titleFormat?: string;
}

/** The dashboard's annotations; Grafana's own store of them there is none of. */
export async function fetchMarks(
  queries: AnnotationQuery[],
  context: DataContext,
): Promise<AnnotationMark[]> {
  const marks = await Promise.all(
    queries.map(async (annotation) => {
      const target = (annotation.target ?? {}) as PrometheusAnnotation;
      const { expr, step, titleFormat } = { ...target, ...(annotation as PrometheusAnnotation) };
      if (expr === undefined || !annotation.enable) return [];
      const { range, scrapeInterval, values } = context;
      const intervals = intervalsFor(range, 1000, scrapeInterval, step && interpolate(step, values));
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
