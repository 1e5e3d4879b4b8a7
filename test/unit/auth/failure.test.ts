import { execFile } from 'node:child_process';
import { inspect, promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { authFailure } from '../../../src/auth/failure.js';

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing thrown');
}

describe('authFailure', () => {
  it('names backend, step and reason, and keeps the cause', () => {
    const cause = new Error('no such host');
    const error = authFailure('awsRdsIam', 'failed', cause);
    expect(error.message).toBe('dynamic auth (awsRdsIam): failed: no such host');
    expect(error.cause).toBe(cause);
    expect(authFailure('awsRdsIam', 'failed')).not.toHaveProperty('cause');
  });

  it('keeps an answer that could not be parsed out of the whole chain', () => {
    const cause = thrownBy(() => JSON.parse('canary'));
    expect(inspect(cause)).toContain('canary');
    const error = authFailure('awsRdsIam', 'failed', cause);
    expect(error.message).toBe('dynamic auth (awsRdsIam): failed: the answer could not be parsed');
    expect(inspect(error.cause)).not.toContain('canary');
  });

  it('keeps the command line and the output of a failed command out of the whole chain', async () => {
    const program = 'console.error("canary"); process.exit(1)';
    const cause: unknown = await promisify(execFile)(process.execPath, ['-e', program]).catch(
      (e: unknown) => e,
    );
    expect(inspect(cause)).toContain('canary');
    expect(inspect(authFailure('awsRdsIam', 'failed', cause))).not.toContain('canary');
  });

  it('puts a reason on one line, and describes one that is not an Error', () => {
    expect(authFailure('b', 'failed', new Error('a\r\nb\u0000c')).message).toBe(
      'dynamic auth (b): failed: a b c',
    );
    expect(authFailure('b', 'failed', 'canary').message).toBe('dynamic auth (b): failed: no reason given');
    expect(authFailure('b', 'failed', new RangeError()).message).toBe('dynamic auth (b): failed: RangeError');
  });
});
