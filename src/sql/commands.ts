import { words } from './words.js';

/** How to read a statement that runs no query. */
export interface Command {
  /** Words that belong to the operation when they follow it. */
  readonly more?: ReadonlySet<string>;
  /** Words that are left out, right after the operation's first word and before the targets. */
  readonly modifiers?: ReadonlySet<string>;
  readonly noise?: ReadonlySet<string>;
  /** Whether options in parentheses may follow the operation's first word. */
  readonly options?: true;
  /** How many targets follow; `alone` for one, unless words of the operation follow. Default none. */
  readonly targets?: 'one' | 'all' | 'alone';
}

/** Words that belong to the preceding word. */
export const PHRASES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['ACCESS', words('METHOD')],
  ['DATA', words('WRAPPER')],
  ['DEFAULT', words('PRIVILEGES')],
  ['EVENT', words('TRIGGER')],
  ['FOREIGN', words('TABLE DATA SCHEMA')],
  ['LARGE', words('OBJECT')],
  ['MATERIALIZED', words('VIEW')],
  ['OPERATOR', words('CLASS FAMILY')],
  ['OWNED', words('BY')],
  ['SEARCH', words('CONFIGURATION DICTIONARY PARSER TEMPLATE')],
  ['SYSTEM', words('SET RESET')],
  ['TEXT', words('SEARCH')],
  ['TIME', words('ZONE')],
  ['TO', words('SAVEPOINT')],
  ['TRANSACTION', words('TO')],
  ['USER', words('MAPPING')],
  ['WORK', words('TO')],
]);

const OBJECTS = words(
  'ACCESS AGGREGATE CAST COLLATION CONVERSION DATABASE DEFAULT DOMAIN EVENT EXTENSION FOREIGN FUNCTION GROUP INDEX LANGUAGE LARGE ' +
    'MATERIALIZED OPERATOR OWNED POLICY PROCEDURE PUBLICATION ROLE ROUTINE RULE SCHEMA SEQUENCE SERVER STATISTICS SUBSCRIPTION ' +
    'SYSTEM TABLE TABLESPACE TEXT TRANSFORM TRIGGER TYPE USER VIEW',
);
const IF_EXISTS = 'IF NOT EXISTS CONCURRENTLY ONLY';
const transaction: Command = { more: words('TRANSACTION WORK PREPARED TO') };
const parameter: Command = { more: words('ALL TIME TRANSACTION'), targets: 'alone' };
const none: Command = {};
const one: Command = { targets: 'one' };

/** Modifiers of CREATE, which do not change what is made. */
const MODIFIERS = words(
  'OR REPLACE TEMP TEMPORARY LOCAL GLOBAL UNLOGGED UNIQUE RECURSIVE CONSTRAINT TRUSTED PROCEDURAL',
);

/**
 * Names that exist only in a session and are often generated are not targets: savepoints, cursors. Neither are the
 * roles that SET selects, which may identify users.
 */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['ABORT', transaction],
  ['ALTER', { more: OBJECTS, noise: words(IF_EXISTS), targets: 'one' }],
  ['ANALYSE', { options: true, noise: words('VERBOSE'), targets: 'all' }],
  ['ANALYZE', { options: true, noise: words('VERBOSE'), targets: 'all' }],
  ['BEGIN', transaction],
  ['CHECKPOINT', none],
  ['CLOSE', none],
  ['CLUSTER', { options: true, noise: words('VERBOSE'), targets: 'one' }],
  ['COMMENT', none],
  ['COMMIT', transaction],
  [
    'CREATE',
    { modifiers: MODIFIERS, more: OBJECTS, noise: words(`${IF_EXISTS} ON AUTHORIZATION`), targets: 'one' },
  ],
  ['DEALLOCATE', { noise: words('PREPARE'), targets: 'one' }],
  ['DISCARD', { more: words('ALL PLANS SEQUENCES TEMP TEMPORARY') }],
  ['DO', none],
  ['DROP', { more: OBJECTS, noise: words(IF_EXISTS), targets: 'all' }],
  ['END', transaction],
  ['FETCH', none],
  ['GRANT', none],
  ['IMPORT', { more: words('FOREIGN'), targets: 'one' }],
  ['LISTEN', one],
  ['LOAD', none],
  ['LOCK', { more: words('TABLE'), noise: words('ONLY'), targets: 'all' }],
  ['MOVE', none],
  ['NOTIFY', one],
  ['REASSIGN', { more: words('OWNED') }],
  ['REFRESH', { more: words('MATERIALIZED'), noise: words('CONCURRENTLY'), targets: 'one' }],
  [
    'REINDEX',
    {
      options: true,
      more: words('INDEX TABLE SCHEMA DATABASE SYSTEM'),
      noise: words('CONCURRENTLY'),
      targets: 'one',
    },
  ],
  ['RELEASE', { more: words('SAVEPOINT') }],
  ['RESET', parameter],
  ['REVOKE', none],
  ['ROLLBACK', transaction],
  ['SAVEPOINT', none],
  ['SECURITY', { more: words('LABEL') }],
  [
    'SET',
    {
      ...parameter,
      modifiers: words('SESSION LOCAL'),
      more: words('AUTHORIZATION CHARACTERISTICS CONSTRAINTS NAMES ROLE SCHEMA TIME TRANSACTION XML'),
    },
  ],
  ['SHOW', parameter],
  ['START', transaction],
  ['TRUNCATE', { more: words('TABLE'), noise: words('ONLY'), targets: 'all' }],
  ['UNLISTEN', one],
  ['VACUUM', { options: true, noise: words('FULL FREEZE VERBOSE ANALYZE ANALYSE'), targets: 'all' }],
]);
