import type { Cluster } from './cluster/cluster.js';
import type { Node } from './cluster/node.js';

/** What happens to the leader, and how it is undone once another node leads. */
export interface Fault {
  readonly title: string;
  begin(cluster: Cluster, leader: Node): void | Promise<void>;
  end(leader: Node): void | Promise<void>;
}

const nothing = (): void => undefined;

export const FAULTS = {
  cut: {
    title: 'primary cut off',
    begin: (_, leader) => leader.cut(),
    end: (leader) => leader.mend(),
  },
  switchover: {
    title: 'planned switchover',
    begin: (cluster, leader) => cluster.switchover(leader),
    end: nothing,
  },
  'kill-postgres': {
    title: 'PostgreSQL killed, its Patroni lives',
    begin: (_, leader) => leader.kill({ patroni: false }),
    end: nothing,
  },
  'kill-node': {
    title: 'PostgreSQL and Patroni killed',
    begin: (_, leader) => leader.kill({ patroni: true }),
    end: (leader) => leader.start(),
  },
  freeze: {
    title: 'primary frozen',
    begin: (_, leader) => leader.freeze(),
    end: (leader) => leader.thaw(),
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof FAULTS;
