import type { CredentialEndpoint } from '../../../examples/demo/sources/credential-endpoint.js';
import type { LocalRds } from '../../../local-rds/index.js';
import type { CuttablePath } from '../../support/cuttable-path.js';

/** Lifetime of session credentials when nothing is wrong; they are renewed 15 minutes before they expire. */
export const HEALTHY_LIFETIME_MS = 3_600_000;

/** The faults of the applications' surroundings. Each lasts until `end()`, or until it is switched off. */
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

  /**
   * Makes each application's next login fetch credentials that expire in `seconds`; the server refuses the current keys
   * (28000), once each.
   */
  credentialsEndIn(seconds: number): void {
    this.#credentials.lifetimeMs = seconds * 1_000;
    this.revokeKeys();
  }

  /** Makes the server refuse the keys in use (28000); each application then fetches new ones, at most once in 10 s. */
  revokeKeys(): void {
    this.#credentials.revoke();
  }

  /**
   * Makes credential fetches fail with status 500; applications fetch when theirs expire in under 15 minutes, at most
   * once a minute.
   */
  fetchFails(failing: boolean): void {
    this.#credentials.failing = failing;
  }

  /** Makes the credential endpoint wait `ms` milliseconds before it answers. */
  fetchTakes(ms: number): void {
    this.#credentials.delayMs = ms;
  }

  /** Makes the server reject every token, with SQLSTATE 28000. */
  rejectLogins(rejecting: boolean): void {
    this.#rds.gate.set({ rejectTokens: rejecting });
  }

  /** Makes the server wait `ms` milliseconds before it answers a login. */
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

  /** Cuts the path from the applications to the collector, or restores it. */
  async collectorCut(cut: boolean): Promise<void> {
    await (cut ? this.#otlpPath.cut() : this.#otlpPath.join());
  }

  /** Ends every fault. Credentials that expire soon are replaced at the next login. */
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
