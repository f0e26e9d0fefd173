"""After a test that commits: the database as the migrations made it, in milliseconds.

Django's own way empties every table and then makes content types and permissions anew: a second for a hundred tables, and
what migrations put in (queues, kinds of case) is gone for every test after it. Here only tables that hold rows are emptied,
and what was there at the start is put back: it does not matter in which order tests run.
"""

from django.db import connection, transaction

_AT_THE_START = """
    DROP SCHEMA IF EXISTS suite CASCADE;
    CREATE SCHEMA suite;
    DO $$ DECLARE t text; held boolean; BEGIN
        FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('SELECT EXISTS (TABLE public.%I)', t) INTO held;
            IF held THEN EXECUTE format('CREATE TABLE suite.%I AS TABLE public.%I', t, t); END IF;
        END LOOP;
    END $$;
    ALTER TABLE ledger_entry DISABLE TRIGGER ledger_no_truncate;
    ALTER TABLE watch_probe DISABLE TRIGGER watch_probe_no_truncate;
    ALTER TABLE watch_stepplayed DISABLE TRIGGER watch_stepplayed_no_truncate;
    ALTER TABLE watch_shown DISABLE TRIGGER watch_shown_no_truncate;
"""

_AFTER = """
    SET CONSTRAINTS ALL DEFERRED;
    DO $$ DECLARE t text; kept boolean; stale boolean; BEGIN
        IF EXISTS (TABLE ledger_entry) THEN TRUNCATE ledger_entry CASCADE; END IF;
        IF EXISTS (TABLE watch_probe) THEN TRUNCATE watch_probe CASCADE; END IF;
        IF EXISTS (TABLE watch_plan) THEN TRUNCATE watch_plan CASCADE; END IF;
        FOR t, kept IN SELECT p.tablename, s.tablename IS NOT NULL FROM pg_tables p
            LEFT JOIN pg_tables s ON s.tablename = p.tablename AND s.schemaname = 'suite'
            WHERE p.schemaname = 'public' ORDER BY p.tablename DESC LOOP
            IF kept THEN
                EXECUTE format('SELECT (SELECT count(*) FROM public.%1$I) <> (SELECT count(*) FROM suite.%1$I)
                    OR EXISTS (TABLE public.%1$I EXCEPT TABLE suite.%1$I)', t) INTO stale;
            ELSE
                EXECUTE format('SELECT EXISTS (TABLE public.%I)', t) INTO stale;
            END IF;
            IF stale THEN EXECUTE format('DELETE FROM public.%I', t); END IF;
            IF stale AND kept THEN EXECUTE format('INSERT INTO public.%1$I TABLE suite.%1$I', t); END IF;
        END LOOP;
    END $$;
"""
"""Django's foreign keys are deferrable: within the transaction the order of tables is free. Procrastinate's are not: its jobs
go after the defers that point to them."""


def remember() -> None:
    """Once, when the migrations have run. The suite alone may truncate the ledger and what the watch recorded."""
    with connection.cursor() as cursor:
        cursor.execute(_AT_THE_START)


def put_back() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_AFTER)
