import { afterEach, expect, it, vi } from 'vitest';
import { azureError } from '../../../../src/auth/azure/reason.js';

afterEach(() => void vi.unstubAllEnvs());

function unavailable(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), {
    name: 'CredentialUnavailableError',
  });
}

const chain = (...errors: Error[]): Error => Object.assign(new Error('long'), { errors });

it('an Azure error lists the failed sources before the unconfigured ones, without links', () => {
  const error = chain(
    unavailable(
      'EnvironmentCredential is unavailable. No underlying credential could be used. To troubleshoot, visit https://aka.ms/x.',
    ),
    unavailable(
      'ManagedIdentityCredential: Authentication failed. Message : Error(s): Not Available - Timestamp: Not Available - Description: No such identity. - Correlation ID: x - Trace ID: y',
      new Error('x'),
    ),
    unavailable('Azure CLI could not be found. Please visit https://aka.ms/azure-cli for instructions.'),
  );
  expect(azureError(error).message).toBe(
    'ManagedIdentityCredential: Authentication failed. No such identity.; EnvironmentCredential is unavailable; Azure CLI could not be found',
  );
});

it('an Azure error says that an endpoint gave no usable answer', () => {
  const error = unavailable(
    'ManagedIdentityCredential: Network unreachable. Message: network_error: See https://aka.ms/msal.js.errors#network_error for details',
    new Error('x'),
  );
  expect(azureError(error).message).toBe('ManagedIdentityCredential: Network unreachable: no usable answer');
});

it('an Azure error has no secrets from the environment', () => {
  vi.stubEnv('AZURE_CLIENT_SECRET', 'canary-secret');
  expect(azureError(new Error('wrong secret canary-secret')).message).toBe('wrong secret [hidden]');
});
