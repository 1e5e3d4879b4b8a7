// Loaded before a program: child processes that it starts with Node run ANOTHER_NODE instead.
process.execPath = process.env['ANOTHER_NODE'] ?? '';
