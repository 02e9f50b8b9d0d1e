-- Once, as a superuser of the PostgreSQL server, before the first migration:
--   psql -v owner_password=... -v app_password=... -f deploy/roles.sql
-- labdb_owner owns the database and migrates; labdb_app runs the program: rows only, no CREATE, DROP, TRUNCATE.
CREATE ROLE labdb_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE labdb_app LOGIN PASSWORD :'app_password';
CREATE DATABASE labdb OWNER labdb_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';
\connect labdb
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO labdb_app;
ALTER DEFAULT PRIVILEGES FOR ROLE labdb_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO labdb_app;
ALTER DEFAULT PRIVILEGES FOR ROLE labdb_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO labdb_app;
