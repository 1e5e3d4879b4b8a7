import { isIPv6 } from 'node:net';
import type { LoginTarget } from '../backend.js';

/** The host that a token is signed for: without a trailing dot, which is for the resolver and unknown to the server. */
export function signedHost(host: string): string {
  return host.replace(/(?<=.)\.$/, '');
}

/** The host as written in a URL: an IPv6 address gets brackets, because `::1:5432` would be ambiguous. */
export function urlHost(host: string): string {
  return host.includes(':') && isIPv6(host) ? `[${host}]` : host;
}

/** The region in the name of an RDS endpoint, `….eu-central-1.rds.amazonaws.com` or, in China, `….rds.cn-north-1.amazonaws.com.cn`; undefined for any other name. */
export function regionOfHost(host: string): string | undefined {
  const name = signedHost(host.toLowerCase());
  return (
    /\.([a-z]{2,4}(?:-[a-z]+)+-\d+)\.rds\.amazonaws\.com(?:\.cn)?$/.exec(name)?.[1] ??
    /\.rds\.([a-z]{2,4}(?:-[a-z]+)+-\d+)\.amazonaws\.com(?:\.cn)?$/.exec(name)?.[1]
  );
}

/** The region in the name of an Aurora DSQL cluster, `….dsql.eu-central-1.on.aws`; undefined for any other name. */
export function regionOfCluster(host: string): string | undefined {
  // The name of a cluster that is reached over PrivateLink has a suffix after `dsql`.
  const named = /\.dsql(?:-[a-z0-9]+)?\.([a-z]{2,4}(?:-[a-z]+)+-\d+)\.on\.aws$/;
  return named.exec(signedHost(host.toLowerCase()))?.[1];
}

/** Whether a name is an RDS endpoint's own; no server accepts a token that is signed for an address or an alias. */
export function isEndpoint(host: string): boolean {
  return regionOfHost(host) !== undefined;
}

/** Describes the user, host and region that a token is signed for, and any conflict with the host's name. */
export function describeSigned({ host, port, user }: LoginTarget, region: string): string {
  const named = regionOfHost(host);
  const signed = `signed for ${user} at ${urlHost(signedHost(host))}:${port} in ${region}`;
  if (named === undefined) return `${signed}, and ${signedHost(host)} is not the name of an RDS endpoint`;
  return named === region ? signed : `${signed}, and the endpoint is in ${named}`;
}
