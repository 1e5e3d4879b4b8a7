/** Marks text for the terminal; each function returns it unchanged without colours. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
}

/** The marks of a terminal, or none if the environment disables them (https://no-color.org). */
export function styleOf(env: Readonly<NodeJS.ProcessEnv>): Style {
  const plain = Boolean(env['NO_COLOR']);
  const mark =
    (on: number, off: number) =>
    (text: string): string =>
      plain ? text : `\x1b[${on}m${text}\x1b[${off}m`;
  return { bold: mark(1, 22), dim: mark(2, 22), red: mark(31, 39), green: mark(32, 39) };
}
