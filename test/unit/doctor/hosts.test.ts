import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/cli/options.js';
import { readArguments } from '../../../src/doctor/arguments.js';
import { hostRequests, type HostRequests } from '../../../src/doctor/hosts.js';
import { settingsOf } from '../../../src/doctor/settings.js';

function requests(args: readonly string[], env: NodeJS.ProcessEnv = {}): HostRequests {
  const read = readArguments(args);
  if (typeof read === 'string') throw new Error(`read as ${read}`);
  return hostRequests(read, env);
}

/** Host, port and their origins, for each host. */
const places = (args: readonly string[], env?: NodeJS.ProcessEnv): unknown[] =>
  requests(args, env).each.map((one) => {
    const { config, origins } = settingsOf(one.given, one.env);
    return [config.host, config.port, origins.host, origins.port];
  });

describe("the doctor's lists of hosts", () => {
  it('have one port for all hosts, or one for each', () => {
    expect(places(['--host', 'a,b', '--port', '1'])).toEqual([
      ['a', 1, '--host', '--port'],
      ['b', 1, '--host', '--port'],
    ]);
    expect(places(['--host', 'a,b'], { PGPORT: '1,2' })).toEqual([
      ['a', 1, '--host', 'PGPORT'],
      ['b', 2, '--host', 'PGPORT'],
    ]);
    expect(places([], { PGHOST: 'a,b' })).toEqual([
      ['a', 5432, 'PGHOST', 'default'],
      ['b', 5432, 'PGHOST', 'default'],
    ]);
  });

  it('may have the same host at different ports', () => {
    expect(places(['--host', 'a,a', '--port', '1,2'])).toHaveLength(2);
  });

  it('do not change a single host or a missing one', () => {
    expect(requests(['--host', 'a'])).toMatchObject({ wanted: 'any', kindIsJudged: false });
    expect(places(['--host', 'a'])).toEqual([['a', 5432, '--host', 'default']]);
    expect(places([])).toEqual([[undefined, 5432, undefined, 'default']]);
  });

  it('are checked for the requested kind; the flag has precedence over the variable', () => {
    const env = { PGTARGETSESSIONATTRS: 'standby' };
    expect(requests(['--host', 'a'], env)).toMatchObject({ wanted: 'standby', kindIsJudged: true });
    const both = requests(['--host', 'a', '--target-session-attrs', 'primary'], env);
    expect(both).toMatchObject({ wanted: 'primary' });
  });

  it.each([
    [['--host', 'a,,b'], {}, 'the list of hosts has an empty entry'],
    [['--host', ',a'], {}, 'the list of hosts has an empty entry'],
    [['--port', '1,2'], {}, 'the list of hosts has an empty entry'],
    [['--host', 'a', '--port', '1,2'], {}, 'there are 1 hosts and 2 ports'],
    [['--host', 'a,b'], { PGPORT: '1,2,3' }, 'there are 2 hosts and 3 ports'],
    [['--host', 'a,b,a', '--port', '1'], {}, 'names one of them twice'],
    [['--host', 'a,b', '--port', '1,x'], {}, '--port must be a whole number'],
    [['--host', 'a,b', '--sign-host', 'c'], {}, '--sign-host goes with one host'],
    [['--host', 'a', '--target-session-attrs', 'leader'], {}, 'must be one of any, read-write'],
    [['--host', 'a'], { PGTARGETSESSIONATTRS: 'leader' }, 'must be one of any, read-write'],
  ])('%j %j are refused', (args, env, reason) => {
    expect(() => requests(args, env)).toThrow(UsageError);
    expect(() => requests(args, env)).toThrow(reason);
  });

  it('do not split a connection string given as a host', () => {
    const text = 'postgres://app:can,ary@one,two/app';
    expect(places(['--host', text])).toEqual([[text, 5432, '--host', 'default']]);
  });
});
