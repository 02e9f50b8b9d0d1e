-- The database and its two roles, as a superuser of the PostgreSQL server (15 or newer). Harmless to run again: it then
-- sets the passwords anew. They come through the environment, because a command's words are for everybody to see.
--   LABDB_OWNER_PASSWORD=... LABDB_APP_PASSWORD=... psql -X -f deploy/roles.sql
-- labdb_owner owns the database and migrates; labdb_app runs the program: rows only, no table is its own.
\set ON_ERROR_STOP on
\getenv owner_password LABDB_OWNER_PASSWORD
\getenv app_password LABDB_APP_PASSWORD
\if :{?owner_password}
\else
  \warn 'LABDB_OWNER_PASSWORD is missing in the environment'
\endif
\if :{?app_password}
\else
  \warn 'LABDB_APP_PASSWORD is missing in the environment'
\endif
BEGIN;
SELECT format('CREATE ROLE %I', role) FROM unnest(ARRAY['labdb_owner', 'labdb_app']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
-- not in the server's log, even where that holds every statement
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
ALTER ROLE labdb_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE labdb_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'app_password';
COMMIT;
SELECT 'CREATE DATABASE labdb OWNER labdb_owner TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C'' LC_CTYPE ''C.UTF-8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'labdb') \gexec
REVOKE ALL ON DATABASE labdb FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE labdb TO labdb_app;
\connect labdb

-- From here on plain SQL: the embedded server and the tests run it too, in each of their databases.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO labdb_app;
ALTER DEFAULT PRIVILEGES FOR ROLE labdb_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO labdb_app;
ALTER DEFAULT PRIVILEGES FOR ROLE labdb_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO labdb_app;
