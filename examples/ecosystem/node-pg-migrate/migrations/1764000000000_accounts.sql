-- Up Migration
create table account (
  owner text primary key,
  balance integer not null check (balance >= 0)
);
create table transfer (
  id integer generated always as identity primary key,
  sender text not null references account,
  recipient text not null references account,
  amount integer not null
);
insert into account values ('ada', 100), ('bob', 0);
-- The application reads and writes rows but owns no tables.
grant select, insert, update on account, transfer to app;

-- Down Migration
drop table transfer;
drop table account;
