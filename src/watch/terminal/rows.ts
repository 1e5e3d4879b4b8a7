const LABEL = 16;
const WIDEST_BAR = 50;

/** The connections of pools, by state. */
export interface Connections {
  readonly used: number;
  readonly idle: number;
  readonly connecting: number;
  readonly limit: number;
}

/** A line with a label. */
export function row(label: string, ...cells: string[]): string {
  return `  ${label.padEnd(LABEL)}${cells.join('   ')}`;
}

/** The number of connections in each state. */
export function states({ used, idle, connecting }: Connections): string {
  const count = (value: number): string => String(value).padStart(2);
  return `used ${count(used)}   idle ${count(idle)}   connecting ${count(connecting)}`;
}

/** The connections by state as a bar up to the limit; with a high limit, a character is several connections. */
export function bar({ used, idle, connecting, limit }: Connections): string {
  const width = Math.min(Math.max(Math.round(limit), 0), WIDEST_BAR);
  const place = (count: number): number =>
    Math.min(Math.max(Math.round((count * width) / (limit || 1)), 0), width);
  return ''
    .padEnd(place(used), '#')
    .padEnd(place(used + idle), '=')
    .padEnd(place(used + idle + connecting), '+')
    .padEnd(width, '.');
}

/** The text, cut to the width. */
export function crop(text: string, width: number): string {
  return text.length > width ? text.slice(0, Math.max(0, width - 1)) + '~' : text;
}
