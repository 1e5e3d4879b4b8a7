import type { DriverConnection } from './driver.js';

/**
 * Makes the driver forget which named statements it has prepared, so that the next use of each prepares it anew. The
 * server may still have some of them: each is closed first, and closing one that does not exist is not an error.
 */
export function forgetStatements(connection: DriverConnection): void {
  connection.parsedStatements = {};
  connection.parse = closeAndParse;
}

function closeAndParse(this: DriverConnection, statement: { readonly name?: string }): void {
  const { parse } = Object.getPrototypeOf(this) as DriverConnection;
  // Sent together with the Parse, so it costs no round trip.
  if (statement.name) this.close({ type: 'S', name: statement.name });
  parse.call(this, statement);
}
