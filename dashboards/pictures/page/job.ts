import type { Dashboard } from '@grafana/schema';

/** What the command asks the page to draw. */
export interface Job {
  dashboard: Dashboard;
  /** As a person types them into the time picker: `now-15m`, or ISO 8601. */
  from: string;
  to: string;
  /** The datasource's "scrape interval", a duration such as `10s`. */
  scrapeInterval: string;
  theme: 'dark' | 'light';
  /** Values of variables that are not left at their default. */
  variables: Record<string, string>;
  /** Only the panels of this row. */
  row?: string;
}

/** What became of it. */
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
