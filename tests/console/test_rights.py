"""What somebody may do, asked in one question: exactly what Django and the house would find out one by one."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rasd.channels.models import Line, LineLimit, lines_of
from rasd.console import rights
from rasd.console.models import SecondFactorDemand
from tests.console.making import Utility

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(person, utility: Utility) -> list[User]:
    """Who may everything; one role; two and a permission of his own; limited to lines, himself and by his role; nothing."""
    boss, agent, both, limited = (
        User.objects.create_superuser("boss"),
        person("agent"),
        person("agent", "reviewer"),
        person("supervisor"),
    )
    both.user_permissions.add(Permission.objects.get(codename="view_cycle"))
    elsewhere = Line.objects.create(
        channel="whatsapp", purpose="service", external_id="200", name="Service", display_address="+968"
    )
    LineLimit.put(limited, [elsewhere], by=boss, at=utility.now)
    LineLimit.put(Group.objects.get(name="supervisor"), [utility.line], by=boss, at=utility.now)
    return [boss, agent, both, limited, person()]


@pytest.mark.parametrize("demanded_of", [(), ("agent",), (None,), (None, "reviewer")])
def test_one_question_finds_what_four_would(people, utility, demanded_of):
    groups = [name and Group.objects.get(name=name) for name in demanded_of]
    SecondFactorDemand.put(groups, by=people[0], at=utility.now)
    for each in people:
        asked, anew = User.objects.get(pk=each.pk), User.objects.get(pk=each.pk)
        with CaptureQueriesContext(connection) as taken:
            is_demanded = rights.ask(asked)
            permissions, lines = (
                asked.get_all_permissions() if not asked.is_superuser else None,
                lines_of(asked),
            )
        assert len(taken) == 1
        assert is_demanded == SecondFactorDemand.is_of(anew)
        assert lines == lines_of(anew)
        assert asked.is_superuser or permissions == anew.get_all_permissions()
        assert asked.has_perm("metering.view_cycle") == anew.has_perm("metering.view_cycle")
