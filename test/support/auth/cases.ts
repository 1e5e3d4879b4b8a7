import { azureCase } from './azure-case.js';
import type { BackendCase } from './backend-case.js';
import { customCase } from './custom-case.js';
import { dsqlCase } from './dsql-case.js';
import { gcpCase } from './gcp-case.js';
import { passwordFileCase } from './password-file-case.js';
import { rdsIamCase } from './rds-iam-case.js';
import { secretsManagerCase } from './secrets-manager-case.js';
import { vaultCase } from './vault-case.js';

/** Every backend with a source of passwords that can be at fault; a line is all that a new one needs here. */
export const BACKEND_CASES: readonly BackendCase[] = [
  rdsIamCase,
  dsqlCase,
  secretsManagerCase,
  azureCase,
  customCase,
  vaultCase,
  gcpCase,
  passwordFileCase,
];
