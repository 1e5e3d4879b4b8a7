import type { LocalRds } from '../../../local-rds/index.js';
import { diagnose, iamArgs, type Diagnosis } from './run-doctor.js';

/** A secret of any kind, which no report may contain. */
export const CANARY = 'canary-of-a-secret';

/** For `--import`: sets the program's clock SKEW_MS ahead of the machine's. */
export const SKEWED_CLOCK = new URL('./programs/skewed-clock.ts', import.meta.url).href;

/**
 * Checks set-ups of a stand-in: as its user who logs in with tokens, and as others with the password {@link CANARY}.
 */
export function diagnosesOf(rds: () => LocalRds) {
  return {
    diagnoseRds: (
      args: readonly string[],
      env: Readonly<Record<string, string>> = rds().awsEnv,
    ): Promise<Diagnosis> => {
      const secrets = [rds().credentials.current.secretAccessKey, CANARY];
      return diagnose({ args: [...iamArgs(rds()), ...args], env, secrets });
    },
    diagnoseByPassword: (
      user: string,
      database: string,
      password: Readonly<Record<string, string>> = { PGPASSWORD: CANARY },
    ): Promise<Diagnosis> => {
      const { port, caFile } = rds();
      return diagnose({
        args: ['--host', 'localhost', '--port', String(port), '--user', user, '--database', database],
        env: { PGSSLROOTCERT: caFile, ...password },
        secrets: [CANARY],
      });
    },
  };
}
