import { COMMANDS, PHRASES, type Command } from './commands.js';
import type { Parts, QueryReader } from './queries.js';
import type { Tokens } from './tokens.js';
import { words } from './words.js';

const QUERIES = words(
  'SELECT WITH INSERT UPDATE DELETE MERGE VALUES TABLE UNION INTERSECT EXCEPT ALL DISTINCT',
);
const EXPLAIN_NOISE = words('ANALYZE ANALYSE VERBOSE');
const COPY_NOISE = words('BINARY');
const TRANSACTION = words('TRANSACTION');
/** The objects that CREATE makes from a query, and from statements. */
const OF_QUERY = words('TABLE VIEW');
const OF_STATEMENTS = words('FUNCTION PROCEDURE');

/** Reads a statement that is not a query, or its part before the query that it runs; false if a query begins here. */
export function readStatement(tokens: Tokens, queries: QueryReader, parts: Parts): boolean {
  const word = tokens.word();
  if (QUERIES.has(word)) return false;
  const command = COMMANDS.get(word);
  if (command !== undefined) readCommand(tokens, parts, command, word);
  else if (!readPrefix(tokens, queries, parts, word)) tokens.seek();
  return true;
}

/** Reads a statement that ends in another one, or in an argument; false if the word begins no such statement. */
function readPrefix(tokens: Tokens, queries: QueryReader, parts: Parts, word: string): boolean {
  const operation = tokens.text;
  switch (word) {
    case 'CALL':
    case 'EXECUTE':
      parts.add(operation);
      tokens.advance();
      queries.expect('target');
      return true;
    case 'EXPLAIN':
      parts.add(operation);
      tokens.advance();
      tokens.skip(EXPLAIN_NOISE);
      return true;
    case 'COPY':
      parts.add(operation);
      tokens.advance();
      tokens.skip(COPY_NOISE);
      if (tokens.sign === '(') queries.expect('copy');
      else {
        parts.add(tokens.name());
        tokens.seek();
      }
      return true;
    case 'DECLARE':
      parts.add(operation);
      seekQuery(tokens, 'FOR');
      return true;
    case 'PREPARE':
      tokens.advance();
      if (TRANSACTION.has(tokens.word())) {
        parts.add(`${operation} ${tokens.text}`);
        tokens.seek();
      } else {
        parts.add(operation);
        parts.add(tokens.name());
        seekQuery(tokens, 'AS');
      }
      return true;
    default:
      return false;
  }
}

function seekQuery(tokens: Tokens, sign: string): void {
  tokens.seek(sign);
  if (tokens.sign === sign) tokens.advance();
}

/** Reads a statement by its row of the table. */
function readCommand(tokens: Tokens, parts: Parts, command: Command, verb: string): void {
  let operation = tokens.text;
  let last = verb;
  tokens.advance();
  if (command.modifiers !== undefined) tokens.skip(command.modifiers);
  if (command.options) tokens.skipParentheses();
  for (let { more } = command; more?.has(tokens.word()); more = PHRASES.get(last)) {
    last = tokens.word();
    operation += ` ${tokens.text}`;
    tokens.advance();
  }
  parts.add(operation);
  if (command.targets !== undefined && !(command.targets === 'alone' && last !== verb))
    readTargets(tokens, parts, command);
  if (verb !== 'CREATE') tokens.seek();
  else if (OF_QUERY.has(last)) seekQuery(tokens, 'AS');
  else if (OF_STATEMENTS.has(last)) tokens.seekRoutineEnd();
  else tokens.seek();
}

function readTargets(tokens: Tokens, parts: Parts, { noise, targets }: Command): void {
  for (;;) {
    if (noise !== undefined) tokens.skip(noise);
    parts.add(tokens.name());
    if (targets !== 'all') return;
    // The arguments of a function, the columns of a table.
    tokens.skipParentheses();
    if (tokens.sign !== ',') return;
    tokens.advance();
  }
}
