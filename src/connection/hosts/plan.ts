import type { Config } from '../../settings/config.js';
import { placesOf, type Place, type TargetSessionAttrs } from '../../settings/hosts.js';
import type { HostGroup, PooledConnection } from '../pooled-connection.js';
import { HostOrder } from './order.js';

/** The hosts of a pool and their state. */
export interface HostsPlan {
  /** In the order of the config. */
  readonly groups: readonly HostGroup[];
  readonly wanted: TargetSessionAttrs;
  readonly order: HostOrder;
}

/** Undefined if there is only one host and it may be of any kind. */
export function hostsPlan(config: Config): HostsPlan | undefined {
  const places = placesOf(config);
  const wanted = config.targetSessionAttrs ?? 'any';
  if (places.length === 1 && wanted === 'any') return undefined;
  const mustWrite = wanted === 'read-write' || wanted === 'primary';
  return {
    groups: places.map((place) => newGroup(place, mustWrite)),
    wanted,
    order: new HostOrder(places.length, config.loadBalanceHosts === 'random' ? Math.random : undefined),
  };
}

/** The hosts of a pool that has several, else none. */
export function severalHosts(plan: HostsPlan | undefined): readonly HostGroup[] {
  return plan !== undefined && plan.groups.length > 1 ? plan.groups : [];
}

function newGroup({ host, port }: Place, mustWrite: boolean): HostGroup {
  const members = new Set<PooledConnection>();
  return {
    ...{ host, port, members, mustWrite },
    get connections() {
      return members.size;
    },
  };
}
