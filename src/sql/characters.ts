/**
 * The kind of token that a character may begin, by PostgreSQL's rules: all above ASCII are letters, even white space.
 */
export const Class = { other: 0, space: 1, letter: 2, digit: 3, operator: 4, punctuation: 5 } as const;

const classes = new Uint8Array(128);
const assign = (characters: string, value: number): void => {
  for (const character of characters) classes[character.charCodeAt(0)] = value;
};
assign(' \t\n\r\f\v', Class.space);
assign('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_', Class.letter);
assign('0123456789', Class.digit);
assign('+-*/<>=~!@#%^&|`?', Class.operator);
assign('()[],;.:', Class.punctuation);

const parts = classes.map((value) => (value === Class.letter || value === Class.digit ? 1 : 0));
parts['$'.charCodeAt(0)] = 1;

/** The class of the character at a position; `other` past the end. */
export function classAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code < 128) return classes[code] as number;
  return code >= 128 ? Class.letter : Class.other;
}

/** Whether a character may continue a word; false for NaN, past the end. */
export function continuesWord(code: number): boolean {
  if (code < 128) return parts[code] === 1;
  return code >= 128;
}
