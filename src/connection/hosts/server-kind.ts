import { WrongHostError } from '../../errors.js';
import type { TargetSessionAttrs } from '../../settings/hosts.js';
import { queryQuietly, type DriverClient } from '../driver.js';

/** What a server says of itself: in parameter status messages from PostgreSQL 14 on, else when it is asked. */
export interface ServerKind {
  standby?: boolean;
  readOnly?: boolean;
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/** Notes what the server reports of its kind, from now on; `changed` is called after each report. */
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

/** Rejects with WrongHostError unless the server of a session that waits for queries is what is wanted. */
export async function requireKind(
  client: DriverClient,
  kind: ServerKind,
  wanted: TargetSessionAttrs,
): Promise<void> {
  if (wanted === 'read-write' || wanted === 'read-only') {
    const readOnly = kind.standby === true || kind.readOnly === true || (await asksReadOnly(client, kind));
    if (readOnly !== (wanted === 'read-only')) {
      throw new WrongHostError(`the server is ${readOnly ? 'read-only' : 'read-write'}`, wanted);
    }
  } else if (wanted !== 'any') {
    const standby = kind.standby ?? (await isTrue(client, 'select pg_is_in_recovery()'));
    if (standby !== (wanted !== 'primary')) {
      throw new WrongHostError(`the server is a ${standby ? 'standby' : 'primary'}`, wanted);
    }
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
