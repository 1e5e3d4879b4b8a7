import { failed, ok, warning, type Outcome } from '../../../doctor/report.js';
import type { Session } from '../../../doctor/session.js';
import type { Config } from '../../../settings/config.js';
import type { DynamicAuthConfig } from '../../backends.js';
import { regionOfHost } from '../endpoint.js';
import { awsRdsIam } from '../rds-iam.js';
import { DETECT_REGION, HOST_REGION, resolveAwsRegion } from '../region.js';

/** Finds the region that tokens are signed for. */
export async function checkRegion(session: Session, signal: AbortSignal): Promise<Outcome> {
  const detected = asksToDetect(session);
  const named = regionOfHost(session.endpoint.host);
  const byHost = askedRegion(session) === HOST_REGION;
  if (byHost && named === undefined) {
    return failed(
      'region_unknown',
      `${session.endpoint.host} is not the name of an RDS endpoint, from which to read the region`,
      'name the region (--region us-east-1)',
    );
  }
  let region: string;
  try {
    region = await resolveAwsRegion(awsRdsIam.name, byHost ? named : askedRegion(session), signal);
  } catch (error) {
    const said = session.text.ofError(error);
    if (!detected)
      return failed('region_invalid', said, 'give the region as AWS writes it: --region us-east-1');
    return failed(
      'region_unknown',
      said,
      'name the region (--region us-east-1); to detect it, the instance metadata service must be reachable: on EC2, in containers with a hop limit of 2',
    );
  }
  const given = session.get('config');
  const dynamicAuth = { awsRdsIam: { ...given.dynamicAuth?.awsRdsIam, region } };
  const config = { ...given, dynamicAuth } satisfies Config;
  session.set('config', config);
  const origin = detected ? 'instance metadata service' : byHost ? 'the name of the host' : '--region';
  const facts = { region, origin };
  if (named === undefined || named === region) return ok(`${region}, from ${origin}`, { facts });
  return warning(
    'region_mismatch',
    `${region}, from ${origin}, but the host is in ${named}`,
    `a token counts only in the database's own region: --region ${named}`,
    { ...facts, host_region: named },
  );
}

/** Whether the region is to be read from the metadata service. */
export function asksToDetect(session: Session): boolean {
  return askedRegion(session) === DETECT_REGION;
}

/** The region as configured, before detection. */
function askedRegion({ settings }: Session): string | undefined {
  return (settings.config.dynamicAuth as DynamicAuthConfig | undefined)?.awsRdsIam?.region;
}
