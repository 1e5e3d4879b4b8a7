import type { FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';

/** The one logger of the service and of its pool. */
export const log: FastifyBaseLogger = pino({ level: process.env['LOG_LEVEL'] ?? 'info' });
