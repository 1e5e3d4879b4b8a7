import { EntitySchema } from 'typeorm';

/** The balance of each owner. */
export const Account = new EntitySchema<{ owner: string; balance: number }>({
  name: 'account',
  columns: { owner: { type: 'text', primary: true }, balance: { type: 'integer' } },
});

/** The transfers between owners. */
export const Transfer = new EntitySchema<{ id: number; sender: string; recipient: string; amount: number }>({
  name: 'transfer',
  columns: {
    id: { type: 'integer', primary: true, generated: 'increment' },
    sender: { type: 'text' },
    recipient: { type: 'text' },
    amount: { type: 'integer' },
  },
});
