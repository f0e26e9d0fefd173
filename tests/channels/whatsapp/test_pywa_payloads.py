"""Every webhook payload that pywa's tests are made of, replayed: nothing raises, and each becomes what a person can see.

The payloads lie in the shared folder beside the checkout and not in the repository: ``RASD_SHARED`` names another place.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rasd.channels.models import Channel, Incoming, Line, StatusEvent
from rasd.channels.whatsapp.webhook import is_signed
from tests.channels.doors import deliver

CHECKOUT = Path(__file__).resolve().parents[3]
PYWA = Path(os.environ.get("RASD_SHARED") or CHECKOUT.parent / "shared") / "data" / "whatsapp" / "pywa"
K = Incoming.Kind

# file, payload → what it must become: the kind and words of an incoming message, a status, or a line of trouble
EXPECTED: dict[str, tuple[str, ...]] = {
    "message/text": (K.TEXT, "Body Text"),
    "message/image": (K.IMAGE, "", "65463453"),
    "message/media_with_url": (K.IMAGE, "", "65463453"),
    "message/video": (K.VIDEO, "caption", "765756756"),
    "message/document": (K.DOCUMENT, "caption", "1234567890987654321"),
    "message/audio": (K.AUDIO, "", "1234567890987654321"),
    "message/voice": (K.AUDIO, "", "1234567890987654321"),
    "message/static_sticker": (K.STICKER, "", "1234567890987654321"),
    "message/animated_sticker": (K.STICKER, "", "1234567890987654321"),
    "message/reaction": (K.REACTION, "😮"),
    "message/unreaction_empty": (K.REACTION, ""),
    "message/unreaction_no_emoji": (K.REACTION, ""),
    "message/current_location": (K.LOCATION, "12.25089, 43.90539"),
    "message/chosen_location": (
        K.LOCATION,
        "37.4611978, -122.2164385\nFacebook HQ\n1 Hacker Way, Menlo Park, CA 94025",
    ),
    "message/contacts": (
        K.CONTACTS,
        "Chandler Bing +1 555-555-5555\nMonica +1 666-666-6666\nRachel Green +1 777-777-7777",
    ),
    "message/order": (K.ORDER, "3 × HAMBURGER\n2 × FRENCH_FRIES\n2 × SODA"),
    "message/unsupported": (
        K.UNSUPPORTED,
        "unsupported\n131051: Message type unknown: Message type is currently not supported.",
    ),
    "message/unsupported_with_type": (
        K.UNSUPPORTED,
        "pool\n131051: Message type unknown: Message type is currently not supported.",
    ),
    "message/reply": (K.TEXT, "replied text"),
    "message/forwarded": (K.TEXT, "forwarded text"),
    "message/forwarded_many_times": (K.TEXT, "text forwarded many times"),
    "message/interactive_message_with_err": (K.UNSUPPORTED, "interactive"),
    "message/referral": (K.TEXT, "BODY"),
    "callback_button/button": (K.BUTTON, "title"),
    "callback_button/quick_reply": (K.BUTTON, "title"),
    "callback_button/quick_reply_without_context": (K.BUTTON, "title"),
    "callback_selection/callback": (K.BUTTON, "title"),
    "callback_selection/description": (K.BUTTON, "title"),
    "flow_completion/completion": (
        K.FORM,
        "comment_text: Comment Text\ndelivery_rating: 4\npurchase_rating: 2\nrecommend_radio: 0\ncs_rating: 0",
    ),
    "flow_completion/without_flow_token": (
        K.FORM,
        "comment_text: Comment Text\ndelivery_rating: 4\npurchase_rating: 2\nrecommend_radio: 0\ncs_rating: 0",
    ),
    "edited_message/image": (K.EDIT, "Updated image caption"),
    "deleted_message/revoke": (K.REVOCATION, ""),
    "system/phone_number_change": (K.SYSTEM, "User A changed from 972987654321 to 972912345678"),
    "system/identity_change": (K.SYSTEM, "User identity changed"),
    "call_permission_update/accept": (K.UNSUPPORTED, "call_permission_reply: accept"),
    "call_permission_update/reject": (K.UNSUPPORTED, "call_permission_reply: reject"),
    "call_connect/user_initiated": (K.UNSUPPORTED, "call"),
    "call_connect/business_initiated": (K.UNSUPPORTED, "call"),
    "call_terminate/call_terminate": (K.UNSUPPORTED, "call"),
    "message_status/sent": ("status", "sent"),
    "message_status/delivered": ("status", "delivered"),
    "message_status/read": ("status", "read"),
    "message_status/played": ("status", "played"),
    "message_status/failed": ("status", "failed"),
    "message_status/with_tracker": ("status", "sent"),
    "message_status/group": ("status", "read"),
    "call_status/call_status": ("status", "RINGING"),
    "outgoing_message/text": ("trouble", "smb_message_echoes"),
    "outgoing_message/delete": ("trouble", "smb_message_echoes"),
    "outgoing_message/edit": ("trouble", "smb_message_echoes"),
    "user_marketing_preferences/resume": ("trouble", "user_preferences"),
    "user_marketing_preferences/signup": ("trouble", "user_preferences"),
}
ABOUT_THE_ACCOUNT = ("account_update", "template_")  # shown as trouble: a person has to read them


def payloads() -> list[Any]:
    if not PYWA.exists():
        return []
    found = []
    for path in sorted((PYWA / "tests" / "data" / "updates").glob("*.json")):
        for label, payload in json.loads(path.read_text()).items():
            found.append(pytest.param(f"{path.stem}/{label}", payload, id=f"{path.stem}/{label}"))
    return found


def need_payloads() -> None:
    if not PYWA.exists():
        words = f"pywa's payloads are not in {PYWA}; RASD_SHARED names the shared folder"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)


def test_there_are_payloads_and_each_has_an_expectation():
    need_payloads()
    labels = {param.values[0] for param in payloads()}
    unexpected = {label for label in labels if not label.startswith(ABOUT_THE_ACCOUNT)} - EXPECTED.keys()
    assert not unexpected
    assert EXPECTED.keys() <= labels


@pytest.mark.django_db
@pytest.mark.parametrize(("label", "payload"), payloads())
def test_it_becomes_what_a_person_can_see(label: str, payload: dict):
    before = copy.deepcopy(payload)
    value = payload["entry"][0]["changes"][0]["value"]
    if "metadata" in value:
        Line.objects.create(
            channel=Channel.WHATSAPP,
            purpose="readings",
            name="R",
            external_id=value["metadata"]["phone_number_id"],
            display_address="+968",
        )
    delivery = deliver(payload)
    assert json.loads(bytes(delivery.body)) == before
    assert delivery.sorted_at is not None
    kind, *words = EXPECTED.get(label, ("trouble", payload["entry"][0]["changes"][0]["field"]))
    if kind == "trouble":
        assert words[0] in delivery.trouble
        assert "Traceback" not in delivery.trouble
    elif kind == "status":
        event = StatusEvent.objects.get()
        assert event.status == words[0]
        assert str(int(event.at.timestamp())) == event.payload["timestamp"]
    else:
        incoming = Incoming.objects.get()
        raw = (value.get("messages") or value.get("calls"))[0]
        assert (incoming.kind, incoming.text) == (kind, words[0])
        assert incoming.external_id == raw["id"]
        assert str(int(incoming.sent_at.timestamp())) == raw["timestamp"]
        if words[1:]:
            assert incoming.media.external_id == words[1]
        else:
            assert not hasattr(incoming, "media")
        deliver(payload)
        assert Incoming.objects.count() == 1


@pytest.mark.django_db
def test_meta_s_own_signature_over_a_recorded_body_is_recognised():
    need_payloads()
    vector = json.loads((PYWA / "signature_vector.json").read_text())
    body = vector["body"].encode()
    assert is_signed(body, vector["x_hub_signature_256"], vector["app_secret"])
    assert not is_signed(body + b" ", vector["x_hub_signature_256"], vector["app_secret"])
