import { format, resolveConfig } from 'prettier';
import { authBoard } from './auth/dashboard.js';
import type { Board } from './board.js';
import { grafanaDashboard } from './grafana.js';
import { poolBoard } from './pool/dashboard.js';
import { queriesBoard } from './queries/dashboard.js';

/** All dashboards with their files. */
export const DASHBOARDS: readonly { readonly board: Board; readonly file: URL }[] = [
  poolBoard,
  queriesBoard,
  authBoard,
].map((board) => ({ board, file: new URL(`../${board.uid}.json`, import.meta.url) }));

/** The formatted text of a dashboard's file. */
export async function dashboardText({ board, file }: (typeof DASHBOARDS)[number]): Promise<string> {
  return format(JSON.stringify(grafanaDashboard(board)), { ...(await resolveConfig(file)), parser: 'json' });
}
