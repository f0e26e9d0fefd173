"""One spelling for what is searched, in the database itself, so that what is stored and what is asked cannot differ.

As ``rasd.language.text.normalise_arabic``: alef, ya, ta marbuta and hamza forms, vowel marks, tatweel, invisible marks, Arabic-Indic
and Persian digits, small letters. ``tests/desk/test_search.py`` holds the two together.
"""

from django.db import migrations

FUNCTION = r"""
CREATE OR REPLACE FUNCTION desk_plain(said text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT lower(translate(
    regexp_replace(said, '[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0640ء]', '', 'g'),
    'أإآٱىیئةهەۀھؤكکگچپڤ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
    'اااايييهههههوكككجبف01234567890123456789'
)) $$;
"""


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_initial")]
    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION IF EXISTS desk_plain(text)")]
