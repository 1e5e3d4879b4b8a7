import { findTool, MissingTool } from '../../support/tools/run-tool.js';
import type { Table } from '../table.js';

/** Path of a program on PATH; without it, the table notes that `what` was not run, and how to install the program. */
export async function optionalTool(
  table: Table,
  name: string,
  install: string,
  what = name,
): Promise<string | undefined> {
  try {
    return await findTool(name, install);
  } catch (error) {
    if (!(error instanceof MissingTool)) throw error;
    table.cannotRun(what, error.message);
    return undefined;
  }
}
