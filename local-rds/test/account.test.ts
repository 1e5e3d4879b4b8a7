import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { serverAccount } from '../account.js';

const folder = mkdtempSync(join(tmpdir(), 'local-rds-test-'));

afterAll(() => rmSync(folder, { recursive: true }));

function accountFor(uid: number, ...lines: string[]) {
  const file = join(folder, 'passwd');
  writeFileSync(file, ['root:x:0:0:root:/root:/bin/sh', ...lines, ''].join('\n'));
  return serverAccount(file, uid);
}

const NOBODY = 'nobody:x:65534:65533::/:/bin/false';

describe('the account under which PostgreSQL is started', () => {
  it('is the current one for an ordinary user', () => {
    expect(accountFor(1000, NOBODY)).toBeUndefined();
  });

  it('is postgres for root, if it exists', () => {
    expect(accountFor(0, NOBODY, 'postgres:x:101:104::/:/bin/sh')).toEqual({
      name: 'postgres',
      uid: 101,
      gid: 104,
    });
  });

  it.each(['', 'postgres:x:0:0::/:/bin/sh', 'postgres'])(
    'is "nobody" for root if there is no usable account "postgres": %j',
    (line) => {
      expect(accountFor(0, line, NOBODY)).toEqual({ name: 'nobody', uid: 65534, gid: 65533 });
    },
  );

  it('must exist', () => {
    expect(() => accountFor(0)).toThrow('has no account named postgres or nobody');
  });
});
