import type { Board } from '../board.js';
import { ANNOTATIONS, linksFrom, UID, VARIABLES } from '../selection.js';
import { acquireLatency } from './acquire-latency.js';
import { connections } from './connections.js';
import { healthy } from './healthy.js';
import { instances } from './instances.js';
import { pipelining } from './pipelining.js';
import { queries } from './queries.js';
import { saturation } from './saturation.js';

export const poolBoard: Board = {
  uid: UID.pool,
  title: 'pgauge pool',
  description:
    'Is the pool healthy, and if not, what is the cause? Read it from the top: symptoms, then causes.',
  tags: ['pgauge', 'postgresql'],
  from: 'now-1h',
  variables: VARIABLES,
  annotations: ANNOTATIONS,
  links: linksFrom(UID.pool),
  rows: [healthy, saturation, acquireLatency, connections, queries, pipelining, instances],
};
