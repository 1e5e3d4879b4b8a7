import { setTimeout as sleep } from 'node:timers/promises';
import { untilAborted, withTimeout } from '../../deadline.js';
import { authFailure } from '../failure.js';
import { IMDS_PACKAGE } from './sdk.js';

/** The configured value that stands for the region of the instance this process runs on. */
export const DETECT_REGION = 'detect';

/** The configured value that stands for the region in the name of the host that is dialled. */
export const HOST_REGION = 'host';

/** The error text for a region that is unset or empty. */
export const NO_REGION = 'AWS RDS IAM region is not configured';

const REQUEST_TIMEOUT_MS = 2_000;
const OVERALL_TIMEOUT_MS = 7_000;
const ATTEMPTS = 2;
const RETRY_DELAY_MS = 200;
// The SDK's client appends it to the endpoint's path, which ends with a slash: a strict server answers two with 404.
const REGION_PATH = 'latest/meta-data/placement/region';
// The SDK knows this address, but its metadata client does not read the variable that selects it.
const IPV6_ENDPOINT = 'http://[fd00:ec2::254]';
// us-east-1, us-gov-west-1, us-isob-east-1, eusc-de-east-1; no character that could end a line, a host name or a path.
const REGION_SHAPE = /^[a-z]{2,4}(?:-[a-z]{2,16}){1,3}-[1-9]\d?$/;

/** The region to sign for: the configured one if it looks like one, for `detect` that of IMDS; throws AuthError. */
export async function resolveAwsRegion(
  backend: string,
  configured: unknown,
  signal: AbortSignal,
): Promise<string> {
  if (configured === DETECT_REGION) return await detectRegion(backend, signal);
  return configuredAwsRegion(backend, configured);
}

/** The configured region, if it looks like a region or stands for that of the host; throws AuthError. */
export function configuredAwsRegion(backend: string, configured: unknown): string {
  if (configured === undefined || configured === '') throw authFailure(backend, NO_REGION);
  if (isRegion(configured) || configured === HOST_REGION) return configured;
  throw authFailure(
    backend,
    'AWS RDS IAM region does not look like one, such as us-east-1, and is not "detect"',
  );
}

/** Throws AuthError for a host whose name contains no region. */
export function unknownRegion(backend: string, host: string): never {
  throw authFailure(
    backend,
    `${host} is not the name of an RDS endpoint, from which to read the region: give the region itself`,
  );
}

async function detectRegion(backend: string, signal: AbortSignal): Promise<string> {
  try {
    const { AWS_EC2_METADATA_DISABLED: disabled } = process.env;
    if (disabled && disabled !== 'false') throw new Error('AWS_EC2_METADATA_DISABLED is set');
    const region = await withTimeout(OVERALL_TIMEOUT_MS, signal, askImds);
    // The message does not quote the answer, because it may be anything.
    if (!isRegion(region)) throw new Error('the answer is not the name of a region');
    return region;
  } catch (cause) {
    throw authFailure(backend, 'failed to detect region from IMDS', cause);
  }
}

async function askImds(signal: AbortSignal): Promise<string> {
  const { MetadataService } = await untilAborted(IMDS_PACKAGE.load(), signal);
  const { AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: mode } =
    process.env;
  for (let attempt = 1; ; attempt++) {
    // A new client for each attempt: once a client has been refused a session token, it never requests one again.
    // The client's own retries are off, because they continue after an abort.
    const imds = new MetadataService({
      ...(endpoint && { endpoint: endpoint.replace(/\/*$/, '/') }),
      ...(!endpoint && mode === 'IPv6' && { endpoint: IPV6_ENDPOINT }),
      ec2MetadataV1Disabled: true,
      httpOptions: { timeout: REQUEST_TIMEOUT_MS },
      retries: 0,
    });
    try {
      return await untilAborted(imds.request(REGION_PATH, {}), signal);
    } catch (error) {
      if (signal.aborted || attempt === ATTEMPTS) throw error;
    }
    await untilAborted(sleep(RETRY_DELAY_MS), signal);
  }
}

/** Whether a value looks like the name of a region. */
export function isRegion(value: unknown): value is string {
  return typeof value === 'string' && REGION_SHAPE.test(value);
}
