import { WrongHostError } from '../../errors.js';
import type { TargetSessionAttrs } from '../../settings/hosts.js';
import { queryQuietly, type DriverClient } from '../driver.js';

/** The kind that a server reports: in parameter status messages from PostgreSQL 14 on, else in answer to a query. */
export interface ServerKind {
  standby?: boolean;
  readOnly?: boolean;
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/** Records the kind that the server reports from now on; `changed` is called after each report. */
export function watchKind({ connection }: DriverClient, changed: (kind: ServerKind) => void): ServerKind {
  const kind: ServerKind = {};
  connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
    if (parameterName === 'in_hot_standby') kind.standby = parameterValue === 'on';
    else if (parameterName === 'default_transaction_read_only') kind.readOnly = parameterValue === 'on';
    else return;
    changed(kind);
  });
  return kind;
}

/** Rejects with WrongHostError unless the server is of the wanted kind; the session must be ready for queries. */
export async function requireKind(
  client: DriverClient,
  kind: ServerKind,
  wanted: TargetSessionAttrs,
): Promise<void> {
  const known: { standby?: boolean; readOnly?: boolean } = { ...kind };
  if (wanted === 'read-write' || wanted === 'read-only') {
    known.readOnly = kind.standby === true || kind.readOnly === true || (await asksReadOnly(client, kind));
  } else if (wanted !== 'any') {
    known.standby = kind.standby ?? (await isTrue(client, 'select pg_is_in_recovery()'));
  }
  const wrong = wrongKind(known, wanted);
  if (wrong !== undefined) throw new WrongHostError(`the server is ${wrong}`, wanted);
}

/**
 * The kind of a server if it is not the wanted one, else undefined; for `prefer-standby`, a primary is the wrong kind.
 */
export function wrongKind(
  { standby = false, readOnly = false }: ServerKind,
  wanted: TargetSessionAttrs,
): string | undefined {
  switch (wanted) {
    case 'any':
      return undefined;
    case 'read-write':
    case 'read-only':
      if (readOnly === (wanted === 'read-only')) return undefined;
      return readOnly ? 'read-only' : 'read-write';
    case 'primary':
    case 'standby':
    case 'prefer-standby':
      if (standby === (wanted !== 'primary')) return undefined;
      return standby ? 'a standby' : 'a primary';
  }
}

async function asksReadOnly(client: DriverClient, { standby, readOnly }: ServerKind): Promise<boolean> {
  const reported = standby !== undefined && readOnly !== undefined;
  return !reported && (await isTrue(client, 'show transaction_read_only'));
}

async function isTrue(client: DriverClient, sql: string): Promise<boolean> {
  const { rows } = await queryQuietly(client, sql);
  const [value] = Object.values(rows[0] ?? {}) as unknown[];
  return value === true || value === 'on';
}
