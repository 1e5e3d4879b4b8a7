import type { Scenario, Series } from './scenario.js';

/** The measurements of one run. */
export type Results = readonly { readonly scenario: Scenario; readonly series: readonly Series[] }[];
