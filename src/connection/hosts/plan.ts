import type { Config } from '../../settings/config.js';
import { placesOf, type Place, type TargetSessionAttrs } from '../../settings/hosts.js';
import type { HostGroup } from '../pooled-connection.js';
import { HostOrder } from './order.js';

/** The hosts of a pool, and what is known of them. */
export interface HostsPlan {
  readonly places: readonly Place[];
  readonly wanted: TargetSessionAttrs;
  readonly order: HostOrder;
  /** The connections to one host; `undefined` where the kind of the host does not matter. */
  groupAt(place: Place): HostGroup | undefined;
}

/** Undefined where there is only one host, of any kind. */
export function hostsPlan(config: Config): HostsPlan | undefined {
  const places = placesOf(config);
  const wanted = config.targetSessionAttrs ?? 'any';
  if (places.length === 1 && wanted === 'any') return undefined;
  const mustWrite = wanted === 'read-write' || wanted === 'primary';
  const groups = new Map(
    places.map((place): [Place, HostGroup] => [place, { members: new Set(), mustWrite }]),
  );
  return {
    places,
    wanted,
    order: new HostOrder(places.length, config.loadBalanceHosts === 'random' ? Math.random : undefined),
    groupAt: (place) => (wanted === 'any' ? undefined : groups.get(place)),
  };
}
