import type { VariableModel } from '@grafana/schema';

export type Values = Record<string, string>;

const all = '$__all';

/** A variable's value in a query: the given one, or the default that Grafana would use. */
export function valueOf(variable: VariableModel, asked: string | undefined): string {
  if (asked !== undefined) return asked;
  const current = [variable.current?.value ?? []].flat().map(String);
  const chosen = current.filter((value) => value !== '' && value !== all);
  if (chosen.length > 0)
    return chosen.length === 1 ? String(chosen[0]) : `(${chosen.map(escaped).join('|')})`;
  if (variable.includeAll === true) return variable.allValue ?? '.*';
  if (variable.type === 'datasource') return 'prometheus';
  throw new Error(`variable ${variable.name} has no value: give one with --var ${variable.name}=…`);
}

/** A variable's value as shown in its picker. */
export function labelOf(variable: VariableModel, asked: string | undefined): string {
  if (asked !== undefined) return asked;
  const shown = [variable.current?.text ?? []].flat().join(' + ');
  return shown !== '' && shown !== all ? shown : variable.includeAll === true ? 'All' : '';
}

/** Replaces `$name`, `${name}`, `${name:format}` and `[[name]]` with values; unknown names are left unchanged. */
export function interpolate(text: string, values: Values): string {
  return text.replace(
    /\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]/g,
    (found, plain?: string, braced?: string, bracketed?: string) =>
      values[plain ?? braced ?? bracketed ?? ''] ?? found,
  );
}

// Inside a PromQL string, the backslashes of a regular expression must be doubled.
const escaped = (value: string): string => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\\\$&');
