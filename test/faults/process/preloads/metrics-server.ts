import { createServer } from 'node:http';

// Loaded before every program of an application, as telemetry files are: it prints, serves metrics and keeps its process alive.
console.log('telemetry is on');
createServer((_request, response) => response.end('up 1\n')).listen(Number(process.env['METRICS_PORT']));
