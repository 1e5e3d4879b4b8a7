import type { Board } from '../board.js';
import { ANNOTATIONS, linksFrom, UID, VARIABLES } from '../selection.js';
import { credentials } from './credentials.js';
import { healthy } from './healthy.js';
import { logins } from './logins.js';
import { tokens } from './tokens.js';

export const authBoard: Board = {
  uid: UID.auth,
  title: 'pgauge token refresh',
  description:
    'Do connections get tokens, are the credentials behind them renewed, and does the server accept them?',
  tags: ['pgauge', 'postgresql', 'credentials'],
  from: 'now-6h',
  variables: VARIABLES,
  annotations: ANNOTATIONS,
  links: linksFrom(UID.auth),
  rows: [healthy, tokens, credentials, logins],
};
