import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SharedByKey } from '../../../../src/auth/aws/shared-by-key.js';
import { until } from '../../../support/until.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Objects by key, and the keys of those that were made. */
function objects() {
  const made: string[] = [];
  const shared = new SharedByKey<{ readonly key: string }>();
  const get = (key: string) =>
    shared.get(key, () => {
      made.push(key);
      return { key };
    });
  return { made, get };
}

describe('objects shared by key', () => {
  it('are created once while they are in use, however many other keys are requested', () => {
    const { made, get } = objects();
    const first = get('first');
    for (let i = 0; i < 300; i++) get(`other ${i}`);
    expect(get('first')).toBe(first);
    expect(made.filter((key) => key === 'first')).toEqual(['first']);
  });

  it('are kept unused only while they are among the last 100 requested', async () => {
    const { made, get } = objects();
    for (const key of ['old', 'again']) get(key);
    for (let i = 0; i < 99; i++) get(`other ${i}`);
    get('again');
    await until('the old object is collected', async () => {
      // A collection keeps objects that were used in this turn of the loop.
      await sleep(1);
      collect();
      get('old');
      for (let i = 0; i < 99; i++) get(`other ${i}`);
      get('again');
      return made.filter((key) => key === 'old').length > 1;
    });
    expect(made.filter((key) => key === 'again')).toEqual(['again']);
  });
});
