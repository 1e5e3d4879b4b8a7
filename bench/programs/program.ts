import type { PoolClient } from 'pg';

/** What is measured: one of the sides that are compared. */
export type Contender = string;

/** What one measurement found, by the names of the scenario's measures. */
export type Sample = Readonly<Record<string, number>>;

/** The variant of a scenario that is measured, such as the concurrency. */
export type Variant = Readonly<Record<string, number>>;

/** What a program is told, as JSON. */
export interface Settings {
  /** The server without TLS. */
  readonly plain: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  /** The stand-in for an RDS instance. */
  readonly rds: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly region: string;
    /** Logs in with tokens. */
    readonly iamUser: string;
    /** Logs in with a password. */
    readonly passwordUser: string;
    readonly password: string;
    /** The one certificate that is needed. */
    readonly caPem: string;
    /** The real RDS bundle with that certificate at its end. */
    readonly bundlePem: string;
  };
  /** How much is done in one measurement. */
  readonly size: Readonly<Record<string, number>>;
}

/** A program that is ready to be measured again and again. */
export interface Task {
  /** One measurement. */
  run(): Promise<Sample>;
  /** Gives up what it holds. */
  end(): Promise<void>;
}

/** What every program exports as `prepare`: opens and warms up all that is not to be measured. */
export type Prepare = (contender: Contender, variant: Variant, settings: Settings) => Promise<Task>;

/** The figures that every kind of pool reports. */
export interface AnyPool {
  connect(): Promise<PoolClient>;
  query(text: string, values?: unknown[]): Promise<unknown>;
  end(): Promise<void>;
}
