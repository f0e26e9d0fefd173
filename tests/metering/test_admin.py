"""In the administration reference data can be put right; what happened can only be looked at."""

from decimal import Decimal

import pytest
from django.contrib import admin
from django.urls import reverse

from rasd.metering import models
from rasd.metering.importing.bringing import Visit
from tests.metering.house import NOON, seen

pytestmark = pytest.mark.django_db
HAPPENED = [models.Submission, models.Reading, models.Adoption, models.Review, models.Cycle, models.FieldRead]
REFERENCE = [models.Account, models.ServicePoint, models.Meter, models.Reader, models.Route]


@pytest.mark.parametrize("model", HAPPENED)
def test_g12_nobody_adds_changes_or_deletes_what_happened(model, rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    page = admin.site._registry[model]
    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


@pytest.mark.parametrize("model", HAPPENED + REFERENCE)
def test_each_list_and_each_row_opens(model, admin_client, house, november, send):
    submission = send(house, seen(4300))
    reader = models.Reader.objects.create(code="R-1", name="Reader One")
    models.Route.objects.create(number="B-01", reader=reader)
    models.FieldRead.bring(
        Visit("R-1", "k", NOON, service_point=house.number, no_access="dog"), at=NOON, actor="user:test"
    )
    submission.judge(NOON)
    submission.send_to_review("unsure", NOON, "machine:reader")
    submission.adopt(Decimal(4300), NOON, "machine:reader", "sure")
    name = f"admin:metering_{model._meta.model_name}"
    assert admin_client.get(reverse(f"{name}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"{name}_change", args=[model.objects.first().pk])).status_code == 200
