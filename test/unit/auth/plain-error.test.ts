import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { plainError } from '../../../src/auth/plain-error.js';

it('a plain error keeps name, code and status of an error, and nothing else', () => {
  const error = Object.assign(new Error('canary'), {
    ...{ name: 'GaxiosError', code: 'ECONNREFUSED', status: 500, config: { headers: 'canary' } },
    response: { data: 'canary' },
  });
  const plain = plainError(error, 'it refused');
  expect(plain).toMatchObject({
    name: 'GaxiosError',
    code: 'ECONNREFUSED',
    status: 500,
    message: 'it refused',
  });
  expect(inspect(plain)).not.toContain('canary');
});

it.each([
  'Unexpected token \'e\', "eyJcanary" is not valid JSON',
  'Unexpected end of JSON input',
  'Unterminated string in JSON at position 20',
])('a plain error does not repeat %j', (reason) => {
  expect(plainError(new Error(reason), reason).message).toBe('the answer could not be parsed');
});

it('a plain error has no secrets in its reason', () => {
  expect(plainError(undefined, 'no a-secret here', ['a-secret', undefined, '']).message).toBe(
    'no [hidden] here',
  );
});
