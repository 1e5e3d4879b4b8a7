import { azureCase } from './azure-case.js';
import type { BackendCase } from './backend-case.js';
import { customCase } from './custom-case.js';
import { dsqlCase } from './dsql-case.js';
import { gcpCase } from './gcp-case.js';
import { passwordFileCase } from './password-file-case.js';
import { rdsIamCase } from './rds-iam-case.js';
import { secretsManagerCase } from './secrets-manager-case.js';
import { vaultCase } from './vault-case.js';

/** Every backend whose source of passwords can fail; a new backend needs one line here. */
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
