/** The expected input at a position in a statement. */
export type State =
  /** A query, or another statement that may begin here. */
  | 'start'
  /** The name of a `WITH` query; the `AS` after it; its parentheses; a comma or the query that uses it. */
  | 'with-name'
  | 'with-as'
  | 'with-body'
  | 'with-next'
  /** The columns that `SEARCH` and `CYCLE` name. */
  | 'with-tail'
  /** Expressions that FROM or INTO may follow. */
  | 'columns'
  /** A target, or a query in parentheses. */
  | 'target'
  /** After a target: a comma or a join. */
  | 'list'
  /** After the source of MERGE: a join, but no comma. */
  | 'joins'
  /** The USING of DELETE and MERGE. */
  | 'using'
  | 'merging'
  /** The rows of INSERT. */
  | 'insert'
  /** The parentheses of COPY. */
  | 'copy'
  /** Expressions without their own targets. */
  | 'closed';

/** The state of the statement in a pair of parentheses, or of the top-level one. */
export interface Frame {
  state: State;
  /** The state after a target. */
  after: State;
  /** Which statements may begin here: all, those of a `WITH` query, or only those that read. */
  readonly begins: 'all' | 'changes' | 'reads';
  /** Whether targets may begin here, as in `FROM (a JOIN b …)`. */
  readonly tables: boolean;
  /** The name of the `WITH` query in these parentheses, which is known after them. */
  readonly names?: string | undefined;
  /** The `WITH` of this frame: the name being read, and whether names are known within their own queries. */
  name?: string | undefined;
  recursive?: boolean;
  /** The names that are forgotten with this frame. */
  known?: string[];
}
