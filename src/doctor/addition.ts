import type { Outcome, failed } from './report.js';
import type { Session } from './session.js';

/** One check: it keeps its findings in the session, and gives up when the signal is aborted. */
export type Check = (session: Session, signal: AbortSignal) => Promise<Outcome>;

/** An option of the command line. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly type: 'string' | 'boolean';
  /** Its lines of `--help`. */
  readonly usage: string;
}

/** The options of backends by name; undefined if not given. */
export type GivenFlags = Readonly<Record<string, string | boolean | undefined>>;

/** A login that was refused or failed, with the known facts. */
export interface FailedLogin {
  readonly error: unknown;
  /** Its message, safe to print. */
  readonly said: string;
  /** The backend whose token was used; undefined if a password was used. */
  readonly provider: string | undefined;
  /** The step at which the attempt failed. */
  readonly phase: string | undefined;
  /** The login did not fail, but the doctor gave up waiting. */
  readonly gaveUp: boolean;
  /** The hint in the library's own log record of this attempt. */
  readonly hint: string | undefined;
  readonly user: string;
  /** The name that the token was signed for, which is the database's own if another name is dialled. */
  readonly host?: string;
  readonly database: string;
  readonly passwordOrigin: string | undefined;
  readonly clock: { readonly aheadMs: number; readonly of: string } | undefined;
}

/** The code of a failure, and the remedy. */
export type Explanation = readonly [code: Parameters<typeof failed>[0], remedy: string];

/** Advice for databases of one service, added to general remedies after the service's name. */
export interface ServiceAdvice {
  /** Its common name. */
  readonly service: string;
  /** Where the service shows the name to dial. */
  readonly endpoint?: string;
  /** Which name the certificate holds. */
  readonly certificateName?: string;
  /** How to renew the server's certificate. */
  readonly renewal?: string;
  /** Which name leads to the primary. */
  readonly primary?: string;
  /** Where to download the root certificates. */
  readonly roots?: string;
}

/**
 * What a backend adds to the doctor. Without `checks` and `describeToken`, the doctor only issues a token and uses it.
 */
export interface DoctorAddition {
  /** Its options on the command line; the first one selects a login with this backend. */
  readonly flags: readonly [Flag, ...Flag[]];
  /** The backend's settings from its flags; undefined when none of them selects it. */
  settings(given: GivenFlags): object | undefined;
  /** Environment variables whose values are secrets. */
  readonly secrets?: readonly string[];
  /** The checks of these steps; `rds_iam` also runs for logins with a password. */
  readonly checks?: Readonly<Partial<Record<'region' | 'credentials' | 'rds_iam', Check>>>;
  /** Reports the readable contents of a token. */
  describeToken?(token: string, session: Session, signal: AbortSignal): Promise<Outcome>;
  /** Explains a rejected login (SQLSTATE class 28) with its token or a password; undefined if it has no explanation. */
  explainRejection?(state: string, login: FailedLogin): Explanation | undefined;
  /** The end of the remedy for a rejected token. */
  afterRejection?(login: FailedLogin): string;
  /** The end of the remedy for a login that found no password. */
  readonly withoutPassword?: string;
  /** The remedy for settings that the config check refuses. */
  readonly refusedSettings?: string;
  /** The name of its tokens, in the plural; default the backend's label and `tokens`. */
  readonly tokens?: string;
  /** Server settings that reserve connections beyond PostgreSQL's own. */
  readonly reservedConnections?: readonly string[];
  readonly advice?: ServiceAdvice;
}
