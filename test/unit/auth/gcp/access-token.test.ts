import { expect, it } from 'vitest';
import { googleError } from '../../../../src/auth/gcp/access-token.js';

const answered = (status: number, data: unknown): Error =>
  Object.assign(new Error('canary'), { response: { status, data } });

it.each<[string, unknown, string]>([
  [
    'an OAuth error',
    answered(400, { error: 'invalid_grant', error_description: 'Bad key.' }),
    'HTTP 400: invalid_grant: Bad key.',
  ],
  ['an API error', answered(403, { error: { code: 403, message: 'Denied.' } }), 'HTTP 403: Denied.'],
  ['a page', answered(500, '<html>canary</html>'), 'HTTP 500'],
  [
    'an answer that is half a token',
    new TypeError("Cannot create property 'x' on string 'canary'"),
    'the answer could not be parsed',
  ],
  [
    'an error of the network',
    new Error('connect ECONNREFUSED 127.0.0.1:1'),
    'connect ECONNREFUSED 127.0.0.1:1',
  ],
])('a Google error shows the safe part of %s', (_, error, reason) => {
  expect(googleError(error).message).toBe(reason);
});
