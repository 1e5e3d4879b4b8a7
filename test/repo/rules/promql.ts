import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';

/** A selector of a query, such as `metric{label="value"}`. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly op: string; readonly value: string }[];
}

/** The names that a query uses, in the order of its text. */
export interface QueryNames {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `without`, `on`, `ignoring` and `group_*`. */
  readonly groupingLabels: readonly string[];
  /** Durations of windows and offsets, such as `5m`. */
  readonly durations: readonly string[];
  readonly hasSubquery: boolean;
}

/** Reads a PromQL expression; throws if it does not parse. */
export function readQuery(query: string): QueryNames {
  const names = {
    selectors: [] as Selector[],
    groupingLabels: [] as string[],
    durations: [] as string[],
    hasSubquery: false,
  };
  const textOf = ({ from, to }: { from: number; to: number }) => query.slice(from, to);
  parser.parse(query).iterate({
    enter: (reference) => {
      const { node } = reference;
      if (node.type.isError) throw new Error(`not PromQL at ${node.from}: ${query.slice(node.from)}`);
      if (node.name === 'VectorSelector') names.selectors.push(selector(node, textOf));
      if (node.name === 'GroupingLabels')
        names.groupingLabels.push(...node.getChildren('LabelName').map(textOf));
      if (node.name === 'NumberDurationLiteralInDurationContext') names.durations.push(textOf(node));
      if (node.name === 'SubqueryExpr') names.hasSubquery = true;
    },
  });
  return names;
}

function selector(node: SyntaxNode, textOf: (node: SyntaxNode) => string): Selector {
  const metric = node.getChild('Identifier');
  if (!metric) throw new Error(`a selector without a metric: ${textOf(node)}`);
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return {
    metric: textOf(metric),
    matchers: matchers.map((matcher) => ({
      label: text(matcher, 'LabelName', textOf),
      op: text(matcher, 'MatchOp', textOf),
      value: text(matcher, 'StringLiteral', textOf).slice(1, -1),
    })),
  };
}

function text(node: SyntaxNode, child: string, textOf: (node: SyntaxNode) => string): string {
  const found = node.getChild(child);
  if (!found) throw new Error(`${child} expected in ${textOf(node)}`);
  return textOf(found);
}
