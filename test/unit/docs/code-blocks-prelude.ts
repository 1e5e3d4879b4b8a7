/** What stands in the documentation for the reader's own code: a module whose exports every block may use. */
export const PRELUDE = `
import type { Config, InstrumentedPool } from 'pgauge';

/** The config of an application. */
export declare const config: Config;
/** What an application does with its pool. */
export declare function work(pool: InstrumentedPool): Promise<void>;
/** Where writes go now, by the application's own knowledge. */
export declare function currentWriter(): Promise<string>;
`;
