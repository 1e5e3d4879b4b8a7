import { createServer } from 'node:http';

// Loaded before each program of an application, like telemetry files: it prints, serves metrics and keeps the process
// alive.
console.log('telemetry is on');
createServer((_request, response) => response.end('up 1\n')).listen(Number(process.env['METRICS_PORT']));
