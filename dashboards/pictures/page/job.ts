import type { Dashboard } from '@grafana/schema';

/** The job that the command gives to the page. */
export interface Job {
  dashboard: Dashboard;
  /** As typed into the time picker: `now-15m`, or ISO 8601. */
  from: string;
  to: string;
  /** The data source's "scrape interval", a duration such as `10s`. */
  scrapeInterval: string;
  theme: 'dark' | 'light';
  /** Values of variables that differ from their default. */
  variables: Record<string, string>;
  /** If given, only the panels of this row are drawn. */
  row?: string;
}

/** The result of a job. */
export interface Outcome {
  panels: { id: number; title: string; type: string; series: number; problems: string[] }[];
  problems: string[];
}

declare global {
  interface Window {
    job: Job;
    outcome?: Outcome;
  }
}
