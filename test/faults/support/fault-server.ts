import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalPostgres } from '../../../local-rds/postgres.js';
import { usePostgres } from '../../support/servers.js';

/** Settings with which a server's log holds every statement that it was sent, under the name of its sender. */
export const TELLING: Readonly<Record<string, string>> = { log_statement: 'all', log_line_prefix: '[%a] ' };

const STATEMENT = /^\[(?<sender>.*?)\] LOG: {2}(?:statement|execute [^:]*): (?<text>.*)$/;

/** Starts a PostgreSQL that logs all it is asked for the calling file's tests. */
export function useFaultServer(settings: Readonly<Record<string, string>> = {}): () => LocalPostgres {
  return usePostgres({ settings: { ...TELLING, ...settings } });
}

/** Every statement that the server was sent under an application name, oldest first, also before it was killed. */
export function statementsOf(server: LocalPostgres, applicationName: string): string[] {
  // The whole file: `log()` gives its end only.
  const lines = readFileSync(join(server.socketDir, 'log'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const { sender, text } = STATEMENT.exec(line)?.groups ?? {};
    return sender === applicationName && text !== undefined ? [text] : [];
  });
}

let marks = 0;

/** The statement with a mark, so that the server's log tells whether just this one was repeated. */
export function unique(sql: string): string {
  marks += 1;
  return `${sql} /* ${marks} */`;
}
