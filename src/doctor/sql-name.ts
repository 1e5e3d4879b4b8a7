/**
 * A name as SQL writes it, always quoted because it may be a keyword. The driver has the same function, but `--help`
 * must work without the driver.
 */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
