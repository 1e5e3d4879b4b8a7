import { DatabaseError, DataTypes } from 'sequelize';
import { db } from './database.js';

const options = { timestamps: false, freezeTableName: true };
const Account = db.define(
  'account',
  { owner: { type: DataTypes.TEXT, primaryKey: true }, balance: DataTypes.INTEGER },
  options,
);
const Transfer = db.define(
  'transfer',
  { sender: DataTypes.TEXT, recipient: DataTypes.TEXT, amount: DataTypes.INTEGER },
  options,
);

const transfer = (sender: string, recipient: string, amount: number) =>
  db.transaction(async (transaction) => {
    await Account.increment({ balance: amount }, { where: { owner: recipient }, transaction });
    await Account.increment({ balance: -amount }, { where: { owner: sender }, transaction });
    await Transfer.create({ sender, recipient, amount }, { transaction });
  });

await Promise.all(Array.from({ length: 100 }, () => transfer('ada', 'bob', 1)));
// Ada has nothing left: PostgreSQL rejects the transfer, and Sequelize rolls back.
const refused = await transfer('ada', 'bob', 1).then(
  () => undefined,
  (error: unknown) => error instanceof DatabaseError && (error.original as { code?: string }).code,
);
const balances = await Account.findAll({ order: ['owner'], raw: true });
console.log(JSON.stringify({ balances, refused }));

await db.close();
