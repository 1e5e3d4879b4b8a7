import { readFileSync } from 'node:fs';

/** How a contender reaches the cluster. */
export type Way = 'hosts' | 'haproxy' | 'name';

/** The settings of a contender's process, as JSON in FAILOVER_PLACE. */
export interface Place {
  readonly way: Way;
  /** The value that marks its rows. */
  readonly contender: string;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly haproxyPort: number;
  readonly name: string;
  /** The file with the current address of the name. */
  readonly addressFile: string;
  readonly user: string;
  readonly password: string;
  readonly caFile: string;
}

/** The place of this process. */
export function ownPlace(): Place {
  return JSON.parse(process.env['FAILOVER_PLACE'] ?? '') as Place;
}

/** The roots to verify the servers with. */
export const rootsOf = ({ caFile }: Place): string => readFileSync(caFile, 'utf8');
