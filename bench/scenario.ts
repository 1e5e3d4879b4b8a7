import type { Contender, Sample, Settings, Variant } from './programs/program.js';

/** One value of a measurement. */
export interface Measure {
  /** Its name in the sample. */
  readonly key: string;
  /** A description with the unit. */
  readonly title: string;
  /** Whether ratios to the first contender are shown; default true. */
  readonly compared?: boolean;
}

/** How many times a scenario is measured, and the amount of work each time. */
export interface Amount {
  /** How many times all its processes are restarted. */
  readonly generations: number;
  /** How many times each contender is measured in one generation. */
  readonly rounds: number | ((variant: Variant) => number);
  readonly size: Settings['size'];
  /** Replaces the scenario's variants. */
  readonly variants?: readonly Variant[];
}

/** One comparison: a program, the contenders that run it, and the measured values. */
export interface Scenario {
  /** Its name on the command line and in the results. */
  readonly name: string;
  readonly title: string;
  /** A description of one or two sentences for the results. */
  readonly about: string;
  /** The file in `programs/`. */
  readonly program: string;
  /** The others are compared with the first; `… again` repeats a contender to show the noise. */
  readonly contenders: readonly Contender[];
  /** Groups of contenders that take turns among themselves, after all others: a process that stands still cools down. */
  readonly apart?: readonly (readonly Contender[])[];
  readonly variants: readonly Variant[];
  readonly measures: readonly Measure[];
  readonly full: Amount;
  readonly quick: Amount;
  /** Node flags for the processes, if the measurement needs them. */
  readonly flags?: readonly string[];
  /** The processes' environment in addition to PATH and HOME. */
  environment?(servers: Servers): Readonly<Record<string, string>>;
  /** Adds values to a sample that are measured outside the process. */
  outside?(servers: Servers): Sample;
}

/** The servers that the scenarios use. */
export interface Servers {
  readonly settings: Omit<Settings, 'size'>;
  /** Environment with a long-lived AWS key. */
  readonly awsKeys: Readonly<Record<string, string>>;
  /** Environment in which credentials come from the metadata service. */
  readonly awsInstance: Readonly<Record<string, string>>;
  /** The number of requests to the metadata service since the previous call. */
  metadataCalls(): number;
}

/** One contender's samples of one variant, in the order of the rounds; rounds are the same for all contenders. */
export interface Series {
  readonly contender: Contender;
  readonly variant: Variant;
  readonly samples: readonly Sample[];
}
