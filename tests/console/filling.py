"""Something to look at on every page."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection

from rasd.channels.models import Delivery, Media, Refusal
from rasd.desk.models import Conversation
from rasd.metering.models import Adoption, Judgement, Reading
from tests.console.making import Utility


@dataclass
class Rows:
    conversation: Conversation


def fill(utility: Utility, user: User) -> Rows:
    utility.cycle(opens=-6, days=10)
    for digits in ("04433", "04521", "04390"):
        utility.review(digits)
    adopt_some(utility)
    conversation = a_conversation(utility, user)
    some_conversations(utility)
    troubles(utility, conversation)
    return Rows(conversation)


def adopt_some(utility: Utility) -> None:
    for n in range(34):
        point = utility.point()
        if n >= 23:
            continue
        submission = utility.submission("04471", point=point, doubt_at=None)
        if n >= 19:
            Judgement.objects.create(
                submission=submission, actor="machine:reader", verdict="confirm", value=4471
            )
            continue
        adopt(utility, submission, 4471, days_ago=n % 6, receipt=f"2611-{n:05}-1")


def adopt(utility: Utility, submission, value: int, *, days_ago: int = 0, receipt: str) -> Adoption:
    register = submission.service_point.current_register
    Judgement.objects.create(
        submission=submission, actor="machine:reader", verdict="accept", value=value, why="sure"
    )
    reading = Reading.objects.create(
        service_point=submission.service_point,
        register=register,
        cycle=submission.cycle,
        value=Decimal(value),
        source="customer",
        taken_at=submission.sent_at,
        submission=submission,
    )
    return Adoption.objects.create(
        service_point=submission.service_point,
        register=register,
        cycle=submission.cycle,
        reading=reading,
        adopted_at=utility.now - timedelta(days=days_ago),
        actor="machine:reader",
        why="sure",
        receipt=receipt,
    )


def a_conversation(utility: Utility, user: User) -> Conversation:
    one = utility.conversation(name="سالم المثال")
    utility.writes(one, "السلام عليكم، كيف أرسل قراءة العداد؟", minutes_ago=90)
    utility.says(
        one,
        "وعليكم السلام. أرسل صورة واضحة للعداد هنا.",
        minutes_ago=89,
        accepted_at=utility.now,
        read_at=utility.now,
    )
    photo = utility.sends_photograph(one, "04521", minutes_ago=60)
    submission = utility.submission("04521", point=utility.point(), message=photo, doubt_at=None)
    adopt(utility, submission, 4521, receipt="2611-00042-7")
    utility.says(
        one,
        "اعتُمدت قراءتك 04521.\nالاستهلاك منذ القراءة السابقة 421 kWh.\nرقم الإيصال 2611-00042-7",
        minutes_ago=59,
        accepted_at=utility.now,
        delivered_at=utility.now,
        buttons=["ليس عدادي", "أريد موظفًا"],
    )
    asked = utility.writes(one, "أريد موظفًا", minutes_ago=20, kind="button")
    one.hand_over(wish="customer", why="asked", at=utility.now, actor="customer")
    one.owe(asked, queue=utility.queue)
    one.note("الفاتورة السابقة كانت تقديرية.", at=utility.now - timedelta(minutes=15), author=user)
    utility.writes(one, "الفاتورة مرتفعة هذا الشهر، ما السبب؟", minutes_ago=10)
    utility.says(
        one,
        "أهلًا سالم، أراجع الفاتورة الآن.",
        minutes_ago=5,
        failed_at=utility.now,
        error_code=131026,
        error_words="Message undeliverable",
    )
    one.messages.filter(outgoing__failed_at__isnull=False).update(author=user)
    one.last_message_at = utility.now
    one.save()
    return one


def some_conversations(utility: Utility) -> None:
    for n, text in enumerate(
        [
            "القراءة ٤٥٢١",
            "Thank you!",
            "متى تفتح فترة القراءة؟",
            "The photo is attached",
            "عدادي لا يعمل منذ أمس 😟",
        ]
    ):
        one = utility.conversation()
        message = utility.writes(one, text, minutes_ago=30 * n)
        one.last_message_at = message.at
        one.save()
        if n in (2, 4):
            one.owe(message, queue=utility.queue)


def troubles(utility: Utility, conversation: Conversation) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs"
        )  # no model of Django's: it is not emptied between tests
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts, priority)"
            " VALUES ('flows', 'rasd.flows.jobs.read', '{\"photograph_id\": 17}', 'failed', 8, 0)"
        )
    message = utility.writes(conversation, "", minutes_ago=200, kind="image")
    Media.objects.create(
        incoming=message.incoming,
        external_id="m9",
        gives_up_at=utility.now,
        lost_at=utility.now,
        attempts=21,
        last_error="404 Not Found: Unsupported get request. Object with ID 'm9' does not exist",
    )
    Delivery.objects.create(
        channel="whatsapp", body=b"{}", trouble="entry[0].changes[2]: field 'flows' is not known"
    )
    Refusal.count_one("whatsapp", "wrong signature", "192.0.2.7", utility.now)
    Refusal.count_one("whatsapp", "unsigned", "192.0.2.9", utility.now)
