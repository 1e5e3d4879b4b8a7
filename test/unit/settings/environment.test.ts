import { afterEach, describe, expect, it } from 'vitest';
import { readVariable, withoutVariable } from '../../../src/settings/environment.js';

const NAME = 'PGAUGE_LOG_LEVEL';
const before = process.env[NAME];

afterEach(() => {
  if (before === undefined) Reflect.deleteProperty(process.env, NAME);
  else process.env[NAME] = before;
});

describe('readVariable', () => {
  it('reads the environment of the process at each call', () => {
    process.env[NAME] = 'warn';
    expect(readVariable(NAME)).toBe('warn');
    Reflect.deleteProperty(process.env, NAME);
    expect(readVariable(NAME)).toBeUndefined();
  });

  it('reads an environment that is passed in instead', () => {
    process.env[NAME] = 'warn';
    expect(readVariable(NAME, { [NAME]: 'debug' })).toBe('debug');
    expect(readVariable(NAME, {})).toBeUndefined();
  });

  it('treats an empty variable as unset', () => {
    expect(readVariable(NAME, { [NAME]: '' })).toBeUndefined();
  });
});

describe('withoutVariable', () => {
  it.each(['warn', '', undefined])('unsets a variable and restores it to %o', (value) => {
    if (value === undefined) Reflect.deleteProperty(process.env, NAME);
    else process.env[NAME] = value;
    expect(withoutVariable(NAME, () => NAME in process.env)).toBe(false);
    expect(process.env[NAME]).toBe(value);
  });

  it('restores the variable when the work throws', () => {
    process.env[NAME] = 'warn';
    const fail = (): never => {
      throw new Error('failed');
    };
    expect(() => withoutVariable(NAME, fail)).toThrow('failed');
    expect(process.env[NAME]).toBe('warn');
  });
});
