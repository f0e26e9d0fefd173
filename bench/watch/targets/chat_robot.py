"""What the robot of the chat answers: a service of customers that knows bills and complaints, and calls a person when asked.

The page, its protocol and its look are Chainlit's; only these answers are ours. ``TARGET_PERSON`` (seconds): how long a person
takes to come.
"""

import os
import re

import chainlit as cl

PERSON_AFTER = float(os.environ.get("TARGET_PERSON", "1"))
WISHES = ("موظف", "شخص", "person", "human", "agent")


@cl.on_chat_start
async def begins() -> None:
    await cl.Message("أهلًا بك في خدمة العملاء. كيف نساعدك؟").send()


@cl.on_message
async def answers(message: cl.Message) -> None:
    words = message.content.casefold()
    if any(wish in words for wish in WISHES):
        await cl.Message("لحظات من فضلك، نحوّلك إلى موظف.").send()
        await cl.sleep(PERSON_AFTER)
        await cl.Message("انضم إليك موظف من خدمة العملاء. تفضل.").send()
    elif "فاتور" in words or "bill" in words:
        number = re.search(r"\d{4,}", words)
        account = number[0] if number else "غير معروف"
        await cl.Message(
            f"فاتورة الحساب {account} لهذا الشهر 12.500 ريال، وتاريخ استحقاقها الخامس من الشهر القادم."
        ).send()
    elif "شكوى" in words or "complain" in words:
        await cl.Message("سجّلنا شكواك برقم C-2045، ويصلك الرد خلال ثلاثة أيام عمل.").send()
    else:
        await cl.Message("لم أفهم. يمكنك السؤال عن فاتورة، أو تسجيل شكوى، أو طلب موظف.").send()
