import { describe, expect, it } from 'vitest';
import { ForeignText } from '../../../src/cli/foreign-text.js';

describe('text from other sources', () => {
  it('is stripped of secrets, plain and escaped, and of control characters', () => {
    const text = new ForeignText();
    text.hide('secret/canary=1');
    expect(text.clean('a secret/canary=1 b secret%2Fcanary%3D1\x1b[31m\r\nc\u202e')).toBe(
      'a [hidden] b [hidden] [31m c',
    );
  });

  it('keeps short secrets, which may be ordinary words', () => {
    const text = new ForeignText();
    text.hide('app');
    expect(text.clean('user app')).toBe('user app');
  });

  it('includes the code of an error once', () => {
    const text = new ForeignText();
    expect(text.ofError(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe(
      'connect ECONNREFUSED',
    );
    expect(text.ofError(Object.assign(new Error('no'), { code: '28P01' }))).toBe('28P01: no');
    expect(text.ofError(Object.assign(new Error(''), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
    expect(text.ofError(undefined)).toBe('no reason given');
  });
});
