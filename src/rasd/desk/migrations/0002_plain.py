r"""How words are made comparable for searching, in the database itself, so that what is stored and what is asked cannot differ.

desk_plain   one spelling, as ``rasd.language.text.normalise_arabic``: alef, ya, ta marbuta and hamza forms, vowel marks,
             tatweel, invisible marks, Arabic-Indic and Persian digits; and small letters.
desk_bare    plain words without the article and what is written together with it (وال، بال، كال، لل), nor the plural's ات;
             the ت of "my", "your", "his" becomes the ta marbuta again that it is (فاتورتي: فاتوره).
desk_words   the words of a text as a tsvector: as they stand (weight A), their stems by PostgreSQL's own Arabic and English
             stemmers (weight C), also without a first و ف ب ل ك, which may be a word of its own and may not; and of long numbers
             every end, so that a part of one is found.
desk_query   what is looked for: each word as it stands or by its stem, all of them; numbers and the last word may be only begun.
desk_marked  a text with its hits between U+0002 and U+0003.

A part of a telephone number is found by an index on another room's table, which only this room's functions can make: so it is
made here.

``tests/desk/test_search.py`` holds them to ``rasd.language`` and to a table of pairs.
"""

from django.db import migrations

FUNCTIONS = r"""
CREATE TEXT SEARCH CONFIGURATION desk (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION desk ALTER MAPPING FOR asciiword, asciihword, hword_asciipart WITH english_stem;
ALTER TEXT SEARCH CONFIGURATION desk ALTER MAPPING FOR word, hword, hword_part WITH arabic_stem;

CREATE FUNCTION desk_plain(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(regexp_replace(translate(
    CASE WHEN said ~ '[\ufb50-\ufefc]' THEN (
        SELECT string_agg(CASE WHEN ascii(letter) BETWEEN 64336 AND 65276 THEN normalize(letter, NFKC) ELSE letter END,
                          '' ORDER BY place)
        FROM regexp_split_to_table(said, '') WITH ORDINALITY AS each(letter, place)
    ) ELSE said END,
    'أإآٱٲٳىیئېةهەۀھؤكکگچپڤڥ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
    'ااااااييييهههههوكككجبفف01234567890123456789'
),
    '[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0e\ufe0f' ||
    '\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0640ء]', '', 'g'));

CREATE FUNCTION desk_bare(plain text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(regexp_replace(regexp_replace(plain,
    '(^|[^ا-ي])[وف]?(?:[بك]?ال|لل)(?!له(?![ا-ي]))(?=[ا-ي]{2})', '\1', 'g'),
    '([ا-ي]{4})ات(?:ي|ك|كم|ه|ها|هم|نا)?(?![ا-ي])', '\1', 'g'),
    '([ا-ي]{4})ت(?:ي|ك|كم|ه|ها|هم|نا)(?![ا-ي])', '\1ه', 'g');

CREATE FUNCTION desk_words(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT setweight(to_tsvector('simple', each.plain), 'A')
        || setweight(to_tsvector('desk', each.bare), 'C')
        || CASE WHEN each.bare ~ '[وفبلك][ا-ي]{3}' THEN setweight(to_tsvector('desk', coalesce((
               SELECT string_agg(found[1], ' ')
               FROM regexp_matches(each.bare, '(?:^|[^ا-ي])[وفبلك]([ا-ي]{3,})', 'g') AS found), '')), 'D') ELSE '' END
        || CASE WHEN each.plain ~ '\d{6}' THEN setweight(to_tsvector('simple', coalesce((
               SELECT string_agg(substr(found[1], place), ' ')
               FROM regexp_matches(each.plain, '\d{6,40}', 'g') AS found, generate_series(2, length(found[1]) - 3) AS place
           ), '')), 'D') ELSE '' END
    -- OFFSET 0: each is worked out once, and not again wherever it stands above
    FROM (SELECT plain, desk_bare(plain) AS bare
          FROM (SELECT translate(desk_plain(said), '+-/', '   ') AS plain OFFSET 0) AS told OFFSET 0) AS each;
END;

CREATE FUNCTION desk_query(said text, loosely boolean) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg('(' || array_to_string(array(
            SELECT quote_literal(form) || CASE WHEN each.is_last OR each.word ~ '^\d' THEN ':*' ELSE '' END
            FROM unnest(array[each.word, nullif(each.bare, each.word)]) AS form WHERE form <> ''
            UNION SELECT quote_literal(form)
            FROM unnest(tsvector_to_array(to_tsvector('desk', each.bare))
                || tsvector_to_array(to_tsvector('desk', each.rest))) AS form
        ), ' | ') || ')', ' & ')::tsquery
    FROM (
        SELECT lexeme AS word, desk_bare(lexeme) AS bare,
            positions[array_upper(positions, 1)] = max(positions[array_upper(positions, 1)]) OVER () AS is_last,
            coalesce(substring(desk_bare(lexeme) FROM
                CASE WHEN loosely THEN '^[وفبلك]([ا-ي]{3,})$' ELSE '^و([ا-ي]{4,})$' END), '') AS rest
        FROM unnest(to_tsvector('simple', translate(desk_plain(said), '+-/', '   ')))
    ) AS each;
END;

CREATE FUNCTION desk_marked(said text, asked tsquery) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(
        CASE WHEN NOT EXISTS (SELECT FROM unnest(begun) AS letters WHERE strpos(desk_plain(found[2]), letters) > 0)
            THEN found[1] || found[2]  -- most words: the dear look is spared
        WHEN desk_words(found[2]) @@ any_of_it THEN found[1] || E'\x02' || found[2] || E'\x03'
        ELSE found[1] || found[2] END, '' ORDER BY place)
    FROM regexp_matches(translate(said, E'\x02\x03', ''), '(\s*)(\S+)', 'g') WITH ORDINALITY AS each(found, place),
        (SELECT replace(asked::text, '&', '|')::tsquery AS any_of_it, array(
            SELECT DISTINCT left(lexeme[1], 2) FROM regexp_matches(asked::text, '''((?:[^'']|'''')+)''', 'g') AS lexeme
        ) AS begun) AS looked_for;
END;
CREATE INDEX address_number ON channels_address USING gin (desk_words(phone)) WITH (fastupdate = off);
"""

NO_FUNCTIONS = """
DROP INDEX address_number;
DROP FUNCTION desk_marked(text, tsquery);
DROP FUNCTION desk_query(text, boolean);
DROP FUNCTION desk_words(text);
DROP FUNCTION desk_bare(text);
DROP FUNCTION desk_plain(text);
DROP TEXT SEARCH CONFIGURATION desk;
"""


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_initial"), ("channels", "0001_initial")]
    operations = [migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS)]
