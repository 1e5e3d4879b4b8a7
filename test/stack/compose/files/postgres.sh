#!/bin/sh
# Does what the entry point of the official image does: makes a database cluster, sets the password, becomes postgres.
set -eu
data=/var/lib/postgresql/data
sockets=/var/run/postgresql
mkdir -p "$data" "$sockets"
chown postgres:postgres "$data" "$sockets"
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
echo "$POSTGRES_PASSWORD" >/tmp/password
chmod a+r /tmp/password
as_postgres initdb --pgdata "$data" --auth-local trust --auth-host scram-sha-256 --pwfile /tmp/password
echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
exec setpriv --reuid postgres --regid postgres --clear-groups \
  "$@" -D "$data" -c listen_addresses='*' -c unix_socket_directories="$sockets"
