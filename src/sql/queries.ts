import type { Frame, State } from './frame.js';
import { Kind } from './lexer.js';
import type { Tokens } from './tokens.js';
import { readWith, WithNames } from './with.js';
import { words } from './words.js';

/** Receives the parts of a summary in order. */
export interface Parts {
  add(part: string | undefined): void;
}

const INTO_NOISE = words('TEMP TEMPORARY LOCAL GLOBAL UNLOGGED TABLE');
const SET_OPERATIONS = words('UNION INTERSECT EXCEPT');
/** Clauses after which a comma does not separate targets. */
const LIST_ENDS = words('WHERE GROUP HAVING ORDER WINDOW LIMIT OFFSET FETCH FOR RETURNING');
const CHANGES = words('INSERT UPDATE DELETE MERGE');
/** The states after a target that is read from, which may therefore be a `WITH` query. */
const READS: ReadonlySet<State> = new Set(['list', 'joins', 'closed']);

/** Reads the queries of a text, token by token: a state for each pair of parentheses, and no recursion. */
export class QueryReader {
  readonly #tokens: Tokens;
  readonly #parts: Parts;
  readonly #outer: Frame[] = [];
  #frame: Frame = top();
  #withs = new WithNames();

  constructor(tokens: Tokens, parts: Parts) {
    this.#tokens = tokens;
    this.#parts = parts;
  }

  /** Whether a statement that is not a query may begin here. */
  get atStart(): boolean {
    return this.#frame.state === 'start' && this.#frame.begins === 'all' && this.#tokens.kind === Kind.word;
  }

  /** Sets the expected state at the top level. */
  expect(state: State, after: State = 'closed'): void {
    this.#frame.state = state;
    this.#frame.after = after;
  }

  /** Reads at least one token. */
  step(): void {
    const tokens = this.#tokens;
    switch (tokens.sign) {
      case '(':
      case '[':
        this.#open();
        return;
      case ')':
      case ']':
        this.#close();
        return;
      case ';':
        // Within parentheses it does not end a statement.
        if (this.#outer.length === 0) this.#reset();
        tokens.advance();
        return;
      default:
        this.#inFrame(this.#frame);
    }
  }

  #reset(): void {
    this.#frame = top();
    this.#withs = new WithNames();
  }

  #open(): void {
    const frame = this.#frame;
    const { state, begins } = frame;
    this.#outer.push(frame);
    const tables = state === 'target' || (state === 'start' && frame.tables);
    if (state === 'with-body') {
      if (frame.recursive && frame.name !== undefined) this.#withs.add(frame, frame.name);
      this.#frame = inner('start', { begins: 'changes', names: frame.recursive ? undefined : frame.name });
      frame.state = 'with-next';
    } else if (state === 'copy') {
      this.#frame = inner('start', { begins: 'changes' });
      frame.state = 'closed';
    } else if (tables) {
      this.#frame = inner('start', { tables });
      frame.state = state === 'target' ? frame.after : 'list';
    } else if (state === 'start' && begins === 'all') {
      // `(SELECT …) UNION …`, or the options of EXPLAIN.
      this.#frame = inner('start');
    } else this.#frame = inner(state === 'with-as' || this.#tokens.sign === '[' ? 'closed' : 'start');
    this.#tokens.advance();
  }

  #close(): void {
    const left = this.#frame;
    const outer = this.#outer.pop();
    if (outer !== undefined) {
      this.#withs.leave(left);
      if (left.names !== undefined) this.#withs.add(outer, left.names);
      this.#frame = outer;
    }
    this.#tokens.advance();
  }

  #inFrame(frame: Frame): void {
    const tokens = this.#tokens;
    switch (frame.state) {
      case 'start':
        this.#start(frame);
        return;
      case 'target':
        this.#target(frame);
        return;
      case 'with-name':
      case 'with-as':
      case 'with-body':
      case 'with-tail':
        readWith(frame, tokens);
        return;
      case 'with-next':
        if (!this.#begin(frame)) readWith(frame, tokens);
        return;
      case 'insert':
        if (!this.#query(frame)) this.#pass();
        return;
      case 'columns':
        if (tokens.sign === 'FROM') {
          this.#list(frame, 'list');
          return;
        }
        if (tokens.sign !== 'INTO') {
          this.#expression(frame);
          return;
        }
        tokens.advance();
        tokens.skip(INTO_NOISE);
        this.expect('target', 'columns');
        return;
      case 'using':
      case 'merging':
        if (tokens.sign === 'USING') {
          this.#list(frame, frame.state === 'using' ? 'list' : 'joins');
          return;
        }
        this.#expression(frame);
        return;
      case 'list':
      case 'joins':
        this.#afterTarget(frame);
        return;
      case 'copy':
      case 'closed':
        this.#expression(frame);
    }
  }

  /** The word that begins a query or a change, if one may begin here. */
  #begin(frame: Frame): boolean {
    return this.#query(frame) || (frame.begins !== 'reads' && this.#change(frame));
  }

  /** The word that begins a query, if it is one. */
  #query(frame: Frame): boolean {
    const tokens = this.#tokens;
    switch (tokens.sign) {
      case 'SELECT':
        this.#parts.add(tokens.text);
        frame.state = 'columns';
        break;
      case 'TABLE':
        this.#parts.add(tokens.text);
        frame.state = 'target';
        frame.after = 'closed';
        break;
      case 'WITH':
        frame.state = 'with-name';
        frame.recursive = false;
        break;
      default:
        return false;
    }
    tokens.advance();
    return true;
  }

  #start(frame: Frame): void {
    const tokens = this.#tokens;
    if (this.#begin(frame)) return;
    switch (tokens.sign) {
      case 'UNION':
      case 'INTERSECT':
      case 'EXCEPT':
      case 'ALL':
      case 'DISTINCT':
        tokens.advance();
        return;
    }
    if (tokens.word() === 'VALUES') {
      if (frame.begins === 'all') this.#parts.add(tokens.text);
      frame.state = 'closed';
    } else frame.state = frame.tables ? 'target' : 'closed';
    frame.after = 'list';
    if (frame.state === 'closed') tokens.advance();
  }

  /** INSERT, UPDATE, DELETE or MERGE, if it is one. */
  #change(frame: Frame): boolean {
    const tokens = this.#tokens;
    const word = tokens.word();
    if (!CHANGES.has(word)) return false;
    this.#parts.add(tokens.text);
    tokens.advance();
    frame.state = 'target';
    if (word === 'UPDATE') frame.after = 'columns';
    else {
      if (tokens.sign === 'INTO' || tokens.sign === 'FROM') tokens.advance();
      frame.after = word === 'INSERT' ? 'insert' : word === 'DELETE' ? 'using' : 'merging';
    }
    return true;
  }

  #list(frame: Frame, after: State): void {
    frame.state = 'target';
    frame.after = after;
    this.#tokens.advance();
  }

  #target(frame: Frame): void {
    const tokens = this.#tokens;
    while (tokens.sign === 'ONLY' || tokens.sign === 'LATERAL') tokens.advance();
    if (tokens.sign === '(' || tokens.sign === ')') return;
    const name = tokens.name();
    // `ROWS FROM (f(), …)`
    if (tokens.sign === 'FROM' && name?.toUpperCase() === 'ROWS') {
      tokens.advance();
      return;
    }
    const known = name !== undefined && READS.has(frame.after) && this.#withs.has(name);
    if (!known) this.#parts.add(name);
    if (name === undefined && tokens.sign !== ';' && tokens.sign === '') tokens.advance();
    frame.state = frame.after;
  }

  #afterTarget(frame: Frame): void {
    const tokens = this.#tokens;
    const { sign } = tokens;
    switch (sign) {
      case ',':
        if (frame.state === 'list') {
          this.#list(frame, frame.after);
          return;
        }
        tokens.advance();
        return;
      case 'JOIN':
        this.#list(frame, frame.after);
        return;
      case 'ON':
        tokens.advance();
        if (tokens.word() !== 'CONFLICT') return;
        tokens.advance();
        // Not a column of that name.
        if (tokens.sign === '(' || tokens.sign === 'ON' || tokens.word() === 'DO') frame.state = 'closed';
        return;
      default:
        if (LIST_ENDS.has(sign)) frame.state = 'closed';
        this.#expression(frame);
    }
  }

  #expression(frame: Frame): void {
    if (SET_OPERATIONS.has(this.#tokens.sign)) frame.state = 'start';
    this.#pass();
  }

  /** Skips a token, and also the word after AS, which is a label, and after DISTINCT, which may be FROM. */
  #pass(): void {
    const tokens = this.#tokens;
    const { sign } = tokens;
    tokens.advance();
    if (sign === 'AS' && tokens.kind === Kind.word) tokens.advance();
    else if (sign === 'DISTINCT' && tokens.sign === 'FROM') tokens.advance();
  }
}

function top(): Frame {
  return { state: 'start', after: 'closed', begins: 'all', tables: false };
}

function inner(state: State, given: Partial<Pick<Frame, 'begins' | 'tables' | 'names'>> = {}): Frame {
  return { state, after: 'list', begins: 'reads', tables: false, ...given };
}
