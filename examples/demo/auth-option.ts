import { SOURCE_NAMES, type SourceName } from './sources/names.js';
import { UsageError } from './usage-error.js';

/** The default backend. */
export const DEFAULT_AUTH: SourceName = 'awsRdsIam';
const NAMES = Object.keys(SOURCE_NAMES) as SourceName[];
const NAMES_WIDTH = Math.max(...NAMES.map((name) => name.length));

/** The backends that `--auth` accepts, for `--help`. */
export const AUTH_NAMES_HELP = `Backends, each with a stand-in on this machine:
${NAMES.map((name) => `  ${name.padEnd(NAMES_WIDTH)}  ${SOURCE_NAMES[name]}`).join('\n')}`;

/** Parses the value of `--auth`; throws `UsageError`. */
export function readAuth(text: string = DEFAULT_AUTH): SourceName {
  const name = NAMES.find((known) => known === text);
  if (name === undefined) throw new UsageError(`--auth must be one of ${NAMES.join(', ')}`);
  return name;
}
