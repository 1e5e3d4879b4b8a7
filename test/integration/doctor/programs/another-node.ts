// Loaded before a program: the Node that it starts as a process of its own is ANOTHER_NODE.
process.execPath = process.env['ANOTHER_NODE'] ?? '';
