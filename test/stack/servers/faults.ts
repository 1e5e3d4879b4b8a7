import type { CredentialEndpoint } from '../../../examples/demo/sources/credential-endpoint.js';
import type { LocalRds } from '../../../local-rds/index.js';
import type { CuttablePath } from '../../support/cuttable-path.js';

/** Lifetime of session credentials when nothing is wrong: they are renewed 15 minutes before their end. */
export const HEALTHY_LIFETIME_MS = 3_600_000;

/** What can go wrong around the applications. Each holds until `end()`, or until it is told otherwise. */
export class Faults {
  readonly #rds: LocalRds;
  readonly #credentials: CredentialEndpoint;
  readonly #otlpPath: CuttablePath;
  #serverGone = false;

  constructor(rds: LocalRds, credentials: CredentialEndpoint, otlpPath: CuttablePath) {
    this.#rds = rds;
    this.#credentials = credentials;
    this.#otlpPath = otlpPath;
  }

  /** Makes every application's next login fetch credentials that end in so many seconds; the keys they hold are refused (28000), once each. */
  credentialsEndIn(seconds: number): void {
    this.#credentials.lifetimeMs = seconds * 1_000;
    this.revokeKeys();
  }

  /** Makes the server refuse the keys in use (28000); each application fetches others then, at most once in 10 s. */
  revokeKeys(): void {
    this.#credentials.revoke();
  }

  /** Lets fetches of credentials fail with status 500; applications fetch when those that they hold have less than 15 minutes left, at most once a minute. */
  fetchFails(failing: boolean): void {
    this.#credentials.failing = failing;
  }

  /** Lets the credential endpoint wait so many milliseconds before it answers. */
  fetchTakes(ms: number): void {
    this.#credentials.delayMs = ms;
  }

  /** Lets the server reject every token, with SQLSTATE 28000. */
  rejectLogins(rejecting: boolean): void {
    this.#rds.gate.set({ rejectTokens: rejecting });
  }

  /** Lets the server wait so many milliseconds before it answers a login. */
  loginTakes(ms: number): void {
    this.#rds.gate.set({ delayMs: ms });
  }

  /** Kills the server, or starts it again. */
  async serverGone(gone: boolean): Promise<void> {
    if (gone === this.#serverGone) return;
    this.#serverGone = gone;
    await (gone ? this.#rds.kill() : this.#rds.start());
  }

  /** Resets every connection to the server; new ones are served. */
  dropConnections(): void {
    this.#rds.gate.dropConnections();
  }

  /** Cuts the path from the applications to the collector, or joins it again. */
  async collectorCut(cut: boolean): Promise<void> {
    await (cut ? this.#otlpPath.cut() : this.#otlpPath.join());
  }

  /** Ends every fault. Credentials that end soon are replaced at the next login. */
  async end(): Promise<void> {
    this.fetchFails(false);
    this.fetchTakes(0);
    this.rejectLogins(false);
    this.loginTakes(0);
    if (this.#credentials.lifetimeMs !== HEALTHY_LIFETIME_MS)
      this.credentialsEndIn(HEALTHY_LIFETIME_MS / 1_000);
    await this.serverGone(false);
    await this.collectorCut(false);
  }
}
