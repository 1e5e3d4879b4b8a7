import { renderLegendFormat } from '@grafana/data';
import type { Answer } from './prometheus.ts';

export interface AnnotationMark {
  fromMs: number;
  toMs: number;
  color: string;
  title: string;
}

/** Marks for the positive samples; samples one step apart are joined into a region. */
export function marksOf(
  answer: Answer,
  stepMs: number,
  color: string,
  titleFormat: string,
): AnnotationMark[] {
  if (answer.resultType !== 'matrix') return [];
  return answer.result.flatMap(({ metric, values = [] }) => {
    const title = renderLegendFormat(titleFormat, metric);
    const marks: AnnotationMark[] = [];
    for (const [seconds, value] of values) {
      if (!(Number(value) > 0)) continue;
      const ms = seconds * 1000;
      const last = marks.at(-1);
      if (last !== undefined && ms - last.toMs <= stepMs) last.toMs = ms;
      else marks.push({ fromMs: ms, toMs: ms, color, title });
    }
    return marks;
  });
}
