import type { Scenario } from '../scenario.js';
import { anotherPool, firstAnswer, metadata, storm, token } from './connecting.js';
import { manyPools, poolSize, waiters } from './growth.js';
import { allocation, checkout, observer, pipelined, query, queryTelemetry } from './hot-path.js';
import { collection, heap, loading } from './standing.js';

/** All scenarios, in the order of the results. */
export const SCENARIOS: readonly Scenario[] = [
  ...[query, queryTelemetry, pipelined, checkout, allocation, observer],
  ...[storm, metadata, token, anotherPool, firstAnswer],
  ...[loading, collection, heap],
  ...[poolSize, manyPools, waiters],
];
