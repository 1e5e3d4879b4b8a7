import { property } from '../../foreign-error.js';
import { plainError } from '../plain-error.js';

/** The end of a message that links to further reading. */
const POINTERS = /[ .]*(?:To troubleshoot, visit|Please visit|See) https?:\S*.*$/s;
/** The text that MSAL puts around the description from a service. */
const MSAL_FRAME = /Message :? ?Error\(s\):.*?Description: (.*?) - Correlation ID:.*$/s;
const MSAL_NETWORK = /\. Message:? network_error:?.*$/s;

/** The variables whose values are secrets: a message may quote them. */
export const AZURE_SECRETS = [
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PASSWORD',
  'AZURE_PASSWORD',
  'IDENTITY_HEADER',
  'MSI_SECRET',
] as const;

/** The library's error, safe to show; for a chain, the reasons of failed sources, then of those not set up. */
export function azureError(error: unknown): Error {
  const errors = property(error, 'errors');
  const reason = Array.isArray(errors) ? chainReason(errors) : brief(error);
  return plainError(
    error,
    reason,
    AZURE_SECRETS.map((name) => process.env[name]),
  );
}

function chainReason(errors: readonly unknown[]): string {
  const failed = errors.filter(hasFailed);
  const absent = errors.filter((error) => !hasFailed(error));
  return [...failed.map(brief), ...absent.map(firstSentence)].join('; ');
}

/** Whether a source was tried and failed, rather than not being set up. */
function hasFailed(error: unknown): boolean {
  return property(error, 'name') !== 'CredentialUnavailableError' || property(error, 'cause') !== undefined;
}

function brief(error: unknown): string {
  return textOf(error)
    .replace(MSAL_FRAME, '$1')
    .replace(MSAL_NETWORK, ': no usable answer')
    .replace(POINTERS, '');
}

function firstSentence(error: unknown): string {
  const [sentence = ''] = textOf(error).split(/\.\s/, 1);
  return sentence.replace(/^Error: /, '');
}

function textOf(error: unknown): string {
  const message = property(error, 'message');
  return typeof message === 'string' ? message : 'no reason given';
}
