import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

// Loaded before a program: its user has no entry in the password database, and the error is the one libuv returns.
os.homedir = () => {
  throw Object.assign(
    new Error('A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)'),
    {
      name: 'SystemError',
      code: 'ERR_SYSTEM_ERROR',
      syscall: 'uv_os_homedir',
    },
  );
};
os.userInfo = () => {
  throw Object.assign(
    new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)'),
    {
      name: 'SystemError',
      code: 'ERR_SYSTEM_ERROR',
      syscall: 'uv_os_get_passwd',
    },
  );
};
syncBuiltinESMExports();
