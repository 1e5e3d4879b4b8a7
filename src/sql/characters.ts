/** What a character may begin, by PostgreSQL's rules: those above ASCII are letters, white space among them. */
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

/** The class of the character at a place; `other` past the end. */
export function classAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code < 128) return classes[code] as number;
  return code >= 128 ? Class.letter : Class.other;
}
