import { Kind, Lexer } from '../../sql/lexer.js';
import { words } from '../../sql/words.js';

const FIRST_WORDS = words('SELECT INSERT UPDATE DELETE MERGE VALUES TABLE WITH');

/** Members of a config with which a query needs its own connection. */
const OWN = ['signal', 'timeoutMs', 'query_timeout', 'rows', 'portal'] as const;

type Config = Readonly<
  Partial<Record<'text' | 'values' | 'name' | 'queryMode' | (typeof OWN)[number], unknown>>
>;

/**
 * Whether a query may share a connection: a single statement by the extended protocol that reads or writes rows. With
 * `texts`, also a text that the driver would send by the simple protocol, if it is a single statement.
 */
export function isEligible(query: unknown, values: unknown, texts: boolean): boolean {
  if (typeof query === 'string') {
    return isExtended({}, values) ? startsWell(query) : texts && values == null && isOneStatement(query);
  }
  if (typeof query !== 'object' || query === null || 'submit' in query) return false;
  const config = query as Config;
  if (typeof config.text !== 'string') return false;
  for (const member of OWN) if (config[member] != null) return false;
  if (values != null && !Array.isArray(values)) return false;
  if (isExtended(config, values ?? config.values)) return startsWell(config.text);
  return texts && config.values == null && config.queryMode == null && isOneStatement(config.text);
}

/** Whether the driver would send the query by the extended protocol. */
function isExtended({ name, queryMode }: Config, values: unknown): boolean {
  if (values != null && !Array.isArray(values)) return false;
  if (name != null && typeof name !== 'string') return false;
  return Boolean(name) || queryMode === 'extended' || (Array.isArray(values) && values.length > 0);
}

function startsWell(text: string): boolean {
  return isFirstWord(firstToken(text));
}

function isFirstWord({ kind, text, start, end }: Lexer): boolean {
  return kind === Kind.word && FIRST_WORDS.has(text.slice(start, end).toUpperCase());
}

function firstToken(text: string): Lexer {
  const lexer = new Lexer(text);
  while (lexer.next() === Kind.comment);
  return lexer;
}

/** Whether only comments follow the first statement. */
function isOneStatement(text: string): boolean {
  const lexer = firstToken(text);
  if (!isFirstWord(lexer)) return false;
  if (!text.includes(';', lexer.end)) return true;
  for (let over = false, kind = lexer.next(); kind !== Kind.end; kind = lexer.next()) {
    if (kind === Kind.punctuation && text[lexer.start] === ';') over = true;
    else if (over && kind !== Kind.comment) return false;
  }
  return true;
}
