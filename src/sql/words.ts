/** A set of words, from a text with spaces between them. */
export const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** The next step of a word's hash, which ignores upper and lower case. */
export const hashed = (hash: number, code: number): number => (Math.imul(hash, 31) + (code | 32)) | 0;

/** Words that PostgreSQL reserves and a summary uses: an unquoted name cannot be one of them. */
const RESERVED = words(
  'ALL AS DISTINCT EXCEPT FETCH FOR FROM GRANT GROUP HAVING IN INTERSECT INTO JOIN LATERAL LIMIT NOT OFFSET ON ONLY ORDER ' +
    'RETURNING SELECT TABLE TO UNION USING WHEN WHERE WINDOW WITH',
);
const byHash = new Map<number, string>();
for (const word of RESERVED) {
  let hash = 0;
  for (let at = 0; at < word.length; at += 1) hash = hashed(hash, word.charCodeAt(at));
  byHash.set(hash, word);
}

/** The reserved word at a position, in capitals, else empty. Creates no string, because most words are not reserved. */
export function reservedWord(text: string, start: number, end: number, hash: number): string {
  const word = byHash.get(hash);
  if (word?.length !== end - start) return '';
  for (let at = 0; at < word.length; at += 1)
    if ((text.charCodeAt(start + at) & ~32) !== word.charCodeAt(at)) return '';
  return word;
}
