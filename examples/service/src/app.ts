import { desc, eq } from 'drizzle-orm';
import { fastify, type FastifyInstance } from 'fastify';
import { isUnavailable } from './availability.js';
import type { Database } from './database.js';
import { log } from './log.js';
import { orders } from './schema.js';

const ORDER = {
  type: 'object',
  required: ['item', 'quantity'],
  additionalProperties: false,
  properties: {
    item: { type: 'string', minLength: 1, maxLength: 100 },
    quantity: { type: 'integer', minimum: 1, maximum: 1_000 },
  },
} as const;
const ID = {
  type: 'object',
  properties: { id: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } },
} as const;

/** The routes of the service. */
export function createApp({ db }: Database): FastifyInstance {
  const app: FastifyInstance = fastify({ loggerInstance: log });

  app.post<{ Body: { item: string; quantity: number } }>(
    '/orders',
    { schema: { body: ORDER } },
    async (request, reply) => {
      const [order] = await db.insert(orders).values(request.body).returning();
      return await reply.code(201).send(order);
    },
  );

  app.get('/orders', () => db.select().from(orders).orderBy(desc(orders.id)).limit(100));

  app.get<{ Params: { id: number } }>('/orders/:id', { schema: { params: ID } }, async (request, reply) => {
    const [order] = await db.select().from(orders).where(eq(orders.id, request.params.id));
    return order ?? (await reply.code(404).send({ message: 'no such order' }));
  });

  app.setErrorHandler<Error & { statusCode?: number }>((error, request, reply) => {
    const status = isUnavailable(error) ? 503 : (error.statusCode ?? 500);
    if (status < 500) return reply.code(status).send({ message: error.message });
    request.log.error(error);
    // The database's error messages belong in the log, not in responses.
    if (status === 503) reply.header('retry-after', '1');
    return reply.code(status).send({ message: status === 503 ? 'try again later' : 'internal error' });
  });

  return app;
}
