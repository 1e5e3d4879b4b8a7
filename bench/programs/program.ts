import type { PoolClient } from 'pg';

/** One of the implementations that are compared. */
export type Contender = string;

/** The values of one measurement, by the names of the scenario's measures. */
export type Sample = Readonly<Record<string, number>>;

/** The parameters of a scenario's variant, such as the concurrency. */
export type Variant = Readonly<Record<string, number>>;

/** The settings of a program, sent as JSON. */
export interface Settings {
  /** The server without TLS. */
  readonly plain: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  /** The stand-in for an RDS instance, with TLS. */
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
    /** The only root certificate that is needed. */
    readonly caPem: string;
    /** The real RDS bundle with that certificate at its end. */
    readonly bundlePem: string;
  };
  /** The amount of work in one measurement. */
  readonly size: Readonly<Record<string, number>>;
}

/** A program that is ready for repeated measurements. */
export interface Task {
  /** Runs one measurement. */
  run(): Promise<Sample>;
  /** Releases its resources. */
  end(): Promise<void>;
}

/** The `prepare` export of every program: opens and warms up everything that must not be measured. */
export type Prepare = (contender: Contender, variant: Variant, settings: Settings) => Promise<Task>;

/** The interface that every kind of pool has. */
export interface AnyPool {
  connect(): Promise<PoolClient>;
  query(text: string, values?: unknown[]): Promise<unknown>;
  end(): Promise<void>;
}
