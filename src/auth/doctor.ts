import type { DoctorAddition, GivenFlags, ServiceAdvice } from '../doctor/addition.js';
import { dsqlDoctor } from './aws/doctor/dsql.js';
import { awsDoctor } from './aws/doctor/index.js';
import { secretsManagerDoctor } from './aws/doctor/secrets-manager.js';
import { azureDoctor } from './azure/doctor/index.js';
import type { AuthBackend } from './backend.js';
import { BACKENDS, checkDynamicAuth, type DynamicAuthBackend } from './backends.js';
import { gcpDoctor } from './gcp/doctor/index.js';
import { passwordFileDoctor } from './doctor/password-file.js';

/**
 * What backends add to `pgauge doctor`; only src/doctor imports this. A backend without an entry gets a flag with its
 * name; one with `null` has no flag, because a flag cannot hold its settings.
 */
const ADDITIONS: Readonly<Partial<Record<DynamicAuthBackend, DoctorAddition | null>>> = {
  awsRdsIam: awsDoctor,
  awsDsql: dsqlDoctor,
  awsSecretsManager: secretsManagerDoctor,
  azureAd: azureDoctor,
  custom: null,
  gcpCloudSqlIam: gcpDoctor,
  passwordFile: passwordFileDoctor,
};

/** A backend as the doctor uses it. */
export interface DoctorBackend {
  readonly name: DynamicAuthBackend;
  readonly label: string;
  readonly addition: DoctorAddition;
}

/** Every backend that the doctor can log in with, in the order of the table. */
export const DOCTOR_BACKENDS: readonly DoctorBackend[] = (Object.keys(BACKENDS) as DynamicAuthBackend[])
  .filter((name) => ADDITIONS[name] !== null)
  .map(doctorBackend);

/** The backend that a config logs in with; undefined if it logs in with a password. */
export function loginBackend(config: { readonly dynamicAuth?: unknown }): DoctorBackend | undefined {
  const auth = checkDynamicAuth(config.dynamicAuth);
  return auth && doctorBackend(auth.name);
}

/** The `dynamicAuth` that the given flags select, and those flags. */
export function askedAuth(
  given: GivenFlags,
): { readonly dynamicAuth: object; readonly origin: string } | undefined {
  const asked = DOCTOR_BACKENDS.flatMap(({ name, addition }) => {
    const settings = addition.settings(given);
    return settings === undefined ? [] : [{ name, settings, flag: `--${addition.flags[0].name}` }];
  });
  if (asked.length === 0) return undefined;
  return {
    dynamicAuth: Object.fromEntries(asked.map(({ name, settings }) => [name, settings])),
    origin: asked.map(({ flag }) => flag).join(', '),
  };
}

/** The values of one member of the additions, from all backends that have it. */
export function additional<Key extends keyof DoctorAddition>(key: Key): NonNullable<DoctorAddition[Key]>[] {
  return DOCTOR_BACKENDS.map(({ addition }) => addition[key]).filter((value) => value !== undefined);
}

/** The services' advice on one subject, with each service's name. */
export function adviceOn(
  subject: Exclude<keyof ServiceAdvice, 'service'>,
): { service: string; text: string }[] {
  return DOCTOR_BACKENDS.flatMap(({ addition: { advice } }) => {
    const text = advice?.[subject];
    return advice === undefined || text === undefined ? [] : [{ service: advice.service, text }];
  });
}

/** The services' advice on one subject in parentheses, with a space before them; empty when there is none. */
export function aside(subject: Exclude<keyof ServiceAdvice, 'service'>): string {
  const advice = adviceOn(subject).map(({ service, text }) => `${service}: ${text}`);
  return advice.length === 0 ? '' : ` (${advice.join('; ')})`;
}

function doctorBackend(name: DynamicAuthBackend): DoctorBackend {
  const { label }: AuthBackend = BACKENDS[name];
  return { name, label, addition: ADDITIONS[name] ?? byNameAlone(name, label) };
}

/** For a backend that adds nothing and needs no settings: `--azure-ad` selects `azureAd: {}`. */
function byNameAlone(name: string, label: string): DoctorAddition {
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    flags: [
      { name: flag, type: 'boolean', usage: `  ${`--${flag}`.padEnd(20)}log in with ${label} tokens\n` },
    ],
    settings: (given) => (given[flag] === true ? {} : undefined),
  };
}
