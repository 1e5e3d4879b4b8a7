import type { Board } from '../board.js';
import { ANNOTATIONS, linksFrom, UID, VARIABLES } from '../selection.js';
import { failed } from './failed.js';
import { healthy } from './healthy.js';
import { overview } from './overview.js';
import { summaries } from './summaries.js';
import { waiting } from './waiting.js';

export const queriesBoard: Board = {
  uid: UID.queries,
  title: 'pgauge queries',
  description:
    'Which queries are slow, fail or are cancelled, and do requests wait for queries or for a connection?',
  tags: ['pgauge', 'postgresql'],
  from: 'now-1h',
  variables: VARIABLES,
  annotations: ANNOTATIONS,
  links: linksFrom(UID.queries),
  rows: [healthy, overview, summaries, failed, waiting],
};
