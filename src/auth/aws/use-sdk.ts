import { untilAborted } from '../../deadline.js';
import { authFailure } from '../failure.js';
import { requirePackages, type OptionalPackage } from '../packages.js';
import { isImdsFailure } from './fetch.js';

/** How a backend uses the AWS SDK. */
export interface SdkUse<Sdk, T> {
  /** Its name, for errors. */
  readonly backend: string;
  /** The packages that `load` needs. */
  readonly packages: readonly OptionalPackage[];
  load(): Promise<Sdk>;
  /** The error text when `use` rejects: `failed to …`. */
  readonly failure: string;
  use(sdk: Sdk): Promise<T>;
}

/** The step before `use`, as errors name it. */
export const LOADING = 'failed to load AWS config';

/** Loads the SDK and uses it, until the signal is aborted; throws AuthError, which names the step that failed. */
export async function useSdk<Sdk, T>(
  { backend, packages, load, failure, use }: SdkUse<Sdk, T>,
  signal: AbortSignal,
): Promise<T> {
  const progress = { step: LOADING };
  const steps = async (): Promise<T> => {
    const sdk = await load();
    progress.step = failure;
    return await use(sdk);
  };
  try {
    signal.throwIfAborted();
    return await untilAborted(steps(), signal);
  } catch (cause) {
    if (progress.step === LOADING && !signal.aborted) await requirePackages(backend, packages);
    throw authFailure(backend, progress.step + circumstance(cause), cause);
  }
}

/** Details that the SDK's error leaves out. */
function circumstance(cause: unknown): string {
  if (isImdsFailure(cause)) return ': no credentials from IMDS';
  // Before it calls a metadata service or STS, the SDK reads its files, which it looks for in the home folder.
  const homeless = (cause as { syscall?: unknown } | null)?.syscall === 'uv_os_homedir';
  return homeless
    ? ': the AWS SDK looks for a home folder, and this user has none: set HOME, to / for instance'
    : '';
}
