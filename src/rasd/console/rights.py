"""What may who is looking? One question for each request, where Django and we would ask four: permissions of his own, those of
his roles, the lines to which he is limited, and whether a second factor is demanded of him. Every fragment of a page asks it."""

from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from rasd.channels.models import know_lines_of

SQL = """
WITH his_groups AS (SELECT group_id FROM auth_user_groups WHERE user_id = %(user)s),
     his AS (SELECT permission_id FROM auth_user_user_permissions WHERE user_id = %(user)s
             UNION SELECT permission_id FROM auth_group_permissions JOIN his_groups USING (group_id))
SELECT 'permission', app_label || '.' || codename
  FROM his JOIN auth_permission ON auth_permission.id = his.permission_id
           JOIN django_content_type ON django_content_type.id = auth_permission.content_type_id
UNION ALL
SELECT 'line', line_id::text FROM channels_linelimit
 WHERE user_id = %(user)s OR group_id IN (SELECT group_id FROM his_groups)
UNION ALL
SELECT 'second factor', '' FROM console_secondfactordemand
 WHERE group_id IN (SELECT group_id FROM his_groups) OR (group_id IS NULL AND %(superuser)s)
"""


def ask(user: User) -> bool:
    """Lets Django and :func:`rasd.channels.models.lines_of` know what they would ask; whether a second factor is demanded of him.

    Where Django no longer looks where this puts it (``_perm_cache``), it asks for itself.
    """
    found: dict[str, set[Any]] = {"permission": set(), "line": set(), "second factor": set()}
    with connection.cursor() as cursor:
        cursor.execute(SQL, {"user": user.pk, "superuser": user.is_superuser})
        for what, words in cursor.fetchall():
            found[what].add(words)
    if not user.is_superuser:  # who may everything, without any of these
        user._perm_cache = found["permission"]  # type: ignore[attr-defined]
        know_lines_of(user, frozenset(int(each) for each in found["line"]))
    return bool(found["second factor"])
