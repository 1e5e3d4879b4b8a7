import { pg } from '../pool/driver.js';

/** A name as SQL writes it: bare where that is the same name, else quoted. */
export function escapeIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : pg.escapeIdentifier(name);
}
