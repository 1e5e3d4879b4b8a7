import type { FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';

/** The logger of the service and its pool. */
export const log: FastifyBaseLogger = pino({ level: process.env['LOG_LEVEL'] ?? 'info' });
