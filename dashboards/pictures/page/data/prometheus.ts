export type Labels = Record<string, string>;
export type Sample = [seconds: number, value: string];

export type Answer =
  | { resultType: 'matrix'; result: { metric: Labels; values?: Sample[] }[] }
  | { resultType: 'vector'; result: { metric: Labels; value?: Sample }[] }
  | { resultType: 'scalar'; result: Sample };

export interface Exemplar {
  labels: Labels;
  value: string;
  timestamp: number;
}

/** Calls Prometheus' HTTP API, for which the page's server is a proxy. */
async function ask<T>(path: string, parameters: Record<string, string>): Promise<T> {
  const response = await fetch(`/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(parameters) });
  const text = await response.text();
  let body: { status?: string; error?: string; data?: T };
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    throw new Error(`Prometheus answered ${String(response.status)}: ${text.slice(0, 200)}`);
  }
  if (body.status !== 'success' || body.data === undefined)
    throw new Error(body.error ?? 'Prometheus gave no data');
  return body.data;
}

const seconds = (ms: number): string => String(ms / 1000);

export const query = (expr: string, atMs: number): Promise<Answer> =>
  ask('query', { query: expr, time: seconds(atMs) });

/** Rounds start and end to whole steps, so that a picture does not depend on the moment of the request. */
export const queryRange = (expr: string, fromMs: number, toMs: number, stepMs: number): Promise<Answer> =>
  ask('query_range', {
    query: expr,
    start: seconds(Math.floor(fromMs / stepMs) * stepMs),
    end: seconds(Math.floor(toMs / stepMs) * stepMs),
    step: seconds(stepMs),
  });

export const queryExemplars = (
  expr: string,
  fromMs: number,
  toMs: number,
): Promise<{ seriesLabels: Labels; exemplars: Exemplar[] }[]> =>
  ask('query_exemplars', { query: expr, start: seconds(fromMs), end: seconds(toMs) });
