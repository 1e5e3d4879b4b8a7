import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalPostgres } from '../../../local-rds/postgres.js';
import { until } from '../../support/until.js';
import { accepts } from '../../support/listening.js';

/** The file that prolongs recovery while it exists, in the data folder. */
const HOLD = 'hold';

/** Restarts the server into a recovery that does not end, so it stays starting up; returns a function that ends it. */
export async function holdInRecovery(server: LocalPostgres): Promise<() => Promise<void>> {
  // Run for each WAL file to restore; waits while the file exists, then reports that there is no WAL.
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

/** Restarts the server as a readable standby, like a former writer; returns a function that promotes it. */
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
  // Wrapped in an object, because an async function would await a promise that it returns.
  return { started };
}

function dataFile({ socketDir }: LocalPostgres, name: string): string {
  return join(socketDir, 'data', name);
}
