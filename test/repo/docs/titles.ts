import { readFileSync } from 'node:fs';
import ts from 'typescript';

const TESTING: ReadonlySet<string> = new Set(['describe', 'it', 'test']);

/** The titles in a test file: those of its groups and tests, and the rows of their tables. */
export function titlesOf(path: string): ReadonlySet<string> {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest);
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && TESTING.has(rootOf(node.expression))) {
      const [first] = node.arguments;
      if (first !== undefined) keep(first, titles);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}

/** For `test.each(rows)`, `test`. */
function rootOf(expression: ts.Expression): string {
  if (ts.isIdentifier(expression)) return expression.text;
  const isPart = ts.isCallExpression(expression) || ts.isPropertyAccessExpression(expression);
  return isPart ? rootOf(expression.expression) : '';
}

function keep(node: ts.Expression, titles: Set<string>): void {
  if (ts.isStringLiteralLike(node)) titles.add(node.text);
  else if (ts.isArrayLiteralExpression(node)) for (const element of node.elements) keep(element, titles);
}
