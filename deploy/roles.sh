#!/bin/sh
# Run once by the database's container on an empty data folder: makes the two roles with the passwords of the environment.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -v owner_password="$LABDB_OWNER_PASSWORD" -v app_password="$LABDB_APP_PASSWORD" \
  -f /labdb/roles.sql
