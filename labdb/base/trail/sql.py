"""What PostgreSQL runs: the trigger functions of the trail, and who may touch its tables."""

# Default privileges hand the application's role every new table. The trail's are written by triggers alone.
PROTECT = """
DO $$
DECLARE given record;
BEGIN
    FOR given IN
        SELECT c.oid::regclass AS name, c.relkind,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
          FROM pg_class c
          LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
          CROSS JOIN LATERAL (
              SELECT grantee FROM aclexplode(c.relacl)
              UNION SELECT e.grantee FROM pg_attribute, aclexplode(attacl) e WHERE attrelid = c.oid) a
         WHERE coalesce(d.refobjid, c.oid) IN ('public.labdb_trailstatement'::regclass, 'public.labdb_trailentry'::regclass)
           AND c.relkind IN ('r', 'S') AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s',
                       CASE given.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, given.name, given.grantee);
        IF given.relkind = 'r' THEN
            EXECUTE format('GRANT SELECT ON %s TO %s', given.name, given.grantee);
        END IF;
    END LOOP;
END $$;
"""
