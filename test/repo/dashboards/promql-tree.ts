import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

/** One vector selector of an expression. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
  /** The names of the enclosing nodes, innermost first. */
  readonly within: readonly string[];
  /** For a range selector, its window and the function that encloses it. */
  readonly range: { readonly window: string; readonly call: string | undefined } | undefined;
}

export interface Aggregation {
  readonly operator: string;
  readonly by: readonly string[];
  /** The metrics that it aggregates. */
  readonly metrics: readonly string[];
}

/** The parts of a PromQL expression; throws if it does not parse. */
export function takeApart(expr: string): {
  readonly selectors: readonly Selector[];
  readonly aggregations: readonly Aggregation[];
  /** The labels of `on` and of `group_left`. */
  readonly joinLabels: readonly string[];
} {
  const text = (node: SyntaxNode): string => expr.slice(node.from, node.to);
  const selectors: Selector[] = [];
  const aggregations: Aggregation[] = [];
  const joinLabels: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ node }) => {
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${expr}`);
      if (node.name === 'VectorSelector') selectors.push(selector(node, text));
      if (node.name === 'AggregateExpr') {
        aggregations.push({
          operator: text(child(node, 'AggregateOp')),
          by: descendants(node.getChild('AggregateModifier'), 'LabelName').map(text),
          metrics: descendants(node, 'VectorSelector').map((one) => text(child(one, 'Identifier'))),
        });
      }
      if (node.name === 'MatchingModifierClause')
        joinLabels.push(...descendants(node, 'LabelName').map(text));
    },
  });
  return { selectors, aggregations, joinLabels };
}

function selector(node: SyntaxNode, text: (node: SyntaxNode) => string): Selector {
  const matchers = descendants(node, 'UnquotedLabelMatcher').map((matcher) => ({
    label: text(child(matcher, 'LabelName')),
    operator: text(child(matcher, 'MatchOp')),
    value: JSON.parse(text(child(matcher, 'StringLiteral'))) as string,
  }));
  const around = ancestors(node);
  const matrix = around.find(({ name }) => name === 'MatrixSelector');
  const call = around.find(({ name }) => name === 'FunctionCall');
  return {
    metric: text(child(node, 'Identifier')),
    matchers,
    within: around.map(({ name }) => name),
    range: matrix && {
      window: text(child(matrix, 'DurationExpr')),
      call: call && text(child(call, 'FunctionIdentifier')),
    },
  };
}

function child(node: SyntaxNode, name: string): SyntaxNode {
  const found = node.getChild(name);
  if (!found) throw new Error(`a ${node.name} without ${name}`);
  return found;
}

function ancestors(node: SyntaxNode): SyntaxNode[] {
  return node.parent ? [node.parent, ...ancestors(node.parent)] : [];
}

function descendants(node: SyntaxNode | null, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let next = node?.firstChild ?? null; next; next = next.nextSibling) {
    if (next.name === name) found.push(next);
    found.push(...descendants(next, name));
  }
  return found;
}
