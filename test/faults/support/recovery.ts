import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalPostgres } from '../../../local-rds/postgres.js';
import { until } from '../../support/until.js';
import { accepts } from '../../support/listening.js';

/** Where recovery looks for the file that holds it up: the data folder. */
const HOLD = 'hold';

/** Restarts the server into a recovery that does not end, so that it is starting up; returns what lets it end. */
export async function holdInRecovery(server: LocalPostgres): Promise<() => Promise<void>> {
  // Asked for each piece of the log that is replayed; says that there is none, as soon as it may.
  const restore = `while [ -e ${HOLD} ]; do sleep 0.05; done; false`;
  await server.query(`alter system set restore_command = '${restore}'`);
  const { started } = await restartWith(server, ['recovery.signal', HOLD]);
  return async () => {
    rmSync(dataFile(server, HOLD));
    await started;
    await server.query('alter system reset restore_command');
    await server.query('select pg_reload_conf()');
  };
}

/** Restarts the server as a standby that can be read: what a writer is after a failover; returns what promotes it. */
export async function turnIntoStandby(server: LocalPostgres): Promise<() => Promise<void>> {
  const { started } = await restartWith(server, ['standby.signal']);
  await started;
  return async () => {
    await server.query('select pg_promote()');
  };
}

async function restartWith(
  server: LocalPostgres,
  files: readonly string[],
): Promise<{ started: Promise<void> }> {
  await server.stop({ keepData: true });
  for (const name of files) writeFileSync(dataFile(server, name), '', { mode: 0o666 });
  const started = server.start();
  started.catch(() => undefined);
  await until('the server listens', () => accepts(server));
  // In an object: a promise by itself would be waited for.
  return { started };
}

function dataFile({ socketDir }: LocalPostgres, name: string): string {
  return join(socketDir, 'data', name);
}
