import type { Contender, Sample, Settings, Variant } from './programs/program.js';

/** One number that a measurement gives. */
export interface Measure {
  /** Its name in the sample. */
  readonly key: string;
  /** What it is, with its unit. */
  readonly title: string;
}

/** How often a scenario is measured, and how much is done each time. */
export interface Amount {
  /** How often all its processes are started anew. */
  readonly generations: number;
  /** How often the contenders take turns in one generation. */
  readonly rounds: number;
  readonly size: Settings['size'];
  /** Other variants than the scenario's. */
  readonly variants?: readonly Variant[];
}

/** One comparison: a program, who runs it, and what is read off. */
export interface Scenario {
  /** What it is called on the command line and in the results. */
  readonly name: string;
  readonly title: string;
  /** What is done, in a sentence or two, for the results. */
  readonly about: string;
  /** The file in `programs/`. */
  readonly program: string;
  /** The first is what the others are compared with; `… again` is the same once more and shows the noise. */
  readonly contenders: readonly Contender[];
  readonly variants: readonly Variant[];
  readonly measures: readonly Measure[];
  readonly full: Amount;
  readonly quick: Amount;
  /** Flags of Node for the processes, where what is counted needs them. */
  readonly flags?: readonly string[];
  /** What the processes get beside PATH and HOME. */
  environment?(servers: Servers): Readonly<Record<string, string>>;
  /** Adds to a sample what is seen from outside the process. */
  outside?(servers: Servers): Sample;
}

/** What the scenarios run against. */
export interface Servers {
  readonly settings: Omit<Settings, 'size'>;
  /** Environment with a long-lived key of AWS. */
  readonly awsKeys: Readonly<Record<string, string>>;
  /** Environment in which credentials come from the metadata service. */
  readonly awsInstance: Readonly<Record<string, string>>;
  /** Requests to the metadata service since the last time this was asked. */
  metadataCalls(): number;
}

/** One contender's samples of one variant, in the order of the rounds; rounds are the same for all contenders. */
export interface Series {
  readonly contender: Contender;
  readonly variant: Variant;
  readonly samples: readonly Sample[];
}
