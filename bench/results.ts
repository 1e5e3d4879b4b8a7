import type { Scenario, Series } from './scenario.js';

/** What was measured in one run. */
export type Results = readonly { readonly scenario: Scenario; readonly series: readonly Series[] }[];
