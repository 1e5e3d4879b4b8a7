import { readFileSync } from 'node:fs';

/** By which way a contender reaches the cluster. */
export type Way = 'hosts' | 'haproxy' | 'name';

/** What a contender's process is told, as JSON in FAILOVER_PLACE. */
export interface Place {
  readonly way: Way;
  /** What marks its rows. */
  readonly contender: string;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly haproxyPort: number;
  readonly name: string;
  /** File with the address that the name has now. */
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
