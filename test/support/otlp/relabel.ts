/** One series at one moment, as Prometheus stores it: `__name__` is also a label. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The part of Prometheus' relabelling that is used: the action `replace`. */
export interface RelabelRule {
  readonly source_labels: readonly string[];
  readonly regex: string;
  readonly target_label: string;
  readonly replacement: string;
}

const KEYS = new Set(['source_labels', 'regex', 'target_label', 'replacement']);

/** Applies the rules to a sample in order, as Prometheus does; throws if a rule uses a feature not implemented here. */
export function relabel(rules: readonly RelabelRule[], { labels, value }: Sample): Sample {
  const changed = { ...labels };
  for (const rule of rules) {
    const unknown = Object.keys(rule).filter((key) => !KEYS.has(key));
    if (unknown.length > 0) throw new Error(`not understood in a relabel rule: ${unknown.join(', ')}`);
    const source = rule.source_labels.map((name) => changed[name] ?? '').join(';');
    // Anchored at both ends.
    const match = new RegExp(`^(?:${rule.regex})$`, 's').exec(source);
    if (match !== null) changed[rule.target_label] = expand(rule.replacement, match);
  }
  return { labels: changed, value };
}

/** `$name` extends over all following letters, digits and underscores; a group that does not exist is empty. */
function expand(template: string, groups: RegExpExecArray): string {
  return template.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_all, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    return groups[name as `${number}`] ?? groups.groups?.[name] ?? '';
  });
}

/** The samples of a scrape in Prometheus' text format. */
export function parseScrape(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, inside = '', value]: readonly (string | undefined)[] =
        /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`not a sample: ${line}`);
      const labels = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
        ([, label, content]) => [label ?? '', (content ?? '').replaceAll(/\\(.)/g, '$1')] as const,
      );
      return {
        labels: { __name__: name, ...Object.fromEntries(labels) },
        value: value === '+Inf' ? Infinity : Number(value),
      };
    });
}
