import { AsyncLocalStorage } from 'node:async_hooks';
import { sharedByAll } from '../process-state.js';

/** Runs a function outside the async context of its caller: what a dial or a reset starts would keep it for life. */
export const detached = sharedByAll('detached', () => AsyncLocalStorage.snapshot());
