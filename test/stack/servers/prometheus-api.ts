/** The labels of a series. */
export type Labels = Readonly<Record<string, string>>;

/** One series of an instant query's result. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One series of a range query's result: Unix times in seconds, and values. */
export interface Line {
  readonly labels: Labels;
  readonly points: readonly (readonly [at: number, value: number])[];
}

/** An alert that is pending or firing. */
export interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'pending' | 'firing';
  readonly value: string;
}

/** A rule that Prometheus has loaded. */
export interface Rule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly query: string;
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** For alerting rules: the seconds that the condition must hold. */
  readonly durationS?: number;
  /** For alerting rules. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** Exemplars of one series. */
export interface SeriesExemplars {
  readonly seriesLabels: Labels;
  readonly exemplars: readonly {
    readonly labels: Labels;
    readonly value: string;
    readonly timestamp: number;
  }[];
}

interface Answer<T> {
  readonly status: 'success' | 'error';
  readonly data: T;
  readonly error?: string;
}

type Pair = readonly [at: number, value: string];

/** Prometheus' HTTP API. */
export class PrometheusApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** The series of an instant query; a scalar is a series without labels. `atS` is a Unix time, default now. */
  async query(query: string, atS?: number): Promise<Sample[]> {
    const time: Record<string, string> = atS === undefined ? {} : { time: String(atS) };
    const data = await this.#get<
      | { resultType: 'vector'; result: { metric: Labels; value: Pair }[] }
      | { resultType: 'scalar'; result: Pair }
    >('query', { query, ...time });
    if (data.resultType === 'scalar') return [{ labels: {}, value: Number(data.result[1]) }];
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** The single number of an instant query; undefined if there is no series; throws if there are several. */
  async number(query: string, atS?: number): Promise<number | undefined> {
    const samples = await this.query(query, atS);
    if (samples.length > 1) throw new Error(`${samples.length} series instead of one: ${query}`);
    return samples[0]?.value;
  }

  /** The series of a range query; times and step in seconds. */
  async queryRange(query: string, startS: number, endS: number, stepS: number): Promise<Line[]> {
    const { result } = await this.#get<{ result: { metric: Labels; values: Pair[] }[] }>('query_range', {
      ...{ query, start: String(startS), end: String(endS), step: String(stepS) },
    });
    return result.map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([at, value]) => [at, Number(value)] as const),
    }));
  }

  /** The labels of all series that a selector matches, past ones included. */
  async series(selector: string): Promise<Labels[]> {
    return await this.#get('series', { 'match[]': selector });
  }

  /** The values of a label over the series that a selector matches. */
  async labelValues(label: string, selector?: string): Promise<string[]> {
    return await this.#get(`label/${label}/values`, selector === undefined ? {} : { 'match[]': selector });
  }

  /** The loaded rules. */
  async rules(): Promise<Rule[]> {
    const { groups } = await this.#get<{ groups: { rules: (Rule & { duration?: number })[] }[] }>(
      'rules',
      {},
    );
    return groups.flatMap(({ rules }) =>
      rules.map(({ duration, ...rule }) =>
        duration === undefined ? rule : { ...rule, durationS: duration },
      ),
    );
  }

  /** The alerts that are pending or firing. */
  async alerts(): Promise<Alert[]> {
    return (await this.#get<{ alerts: Alert[] }>('alerts', {})).alerts;
  }

  /** Exemplars of the last hour for the series that a query selects. */
  async exemplars(query: string): Promise<SeriesExemplars[]> {
    const endS = Date.now() / 1_000;
    return await this.#get('query_exemplars', { query, start: String(endS - 3_600), end: String(endS) });
  }

  async #get<T>(path: string, parameters: Readonly<Record<string, string>>): Promise<T> {
    const url = `${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`;
    const response = await fetch(url);
    const { status, data, error } = (await response.json()) as Answer<T>;
    if (status === 'error') throw new Error(`Prometheus: ${error} in ${JSON.stringify(parameters)}`);
    return data;
  }
}
