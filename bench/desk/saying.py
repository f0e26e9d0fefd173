"""What is said: sentences put together from a utility's words, as often as such words are used, and made-up numbers."""

import random

SENTENCES = 40_000


def _words(text: str) -> list[str]:
    return text.split()


ARABIC = _words(
    """
    فاتورة الفاتورة عداد العداد قراءة القراءة كهرباء الكهرباء مرتفعة هذا الشهر الماضي انقطاع منذ يومين
    المنزل رقم حساب الحساب سداد دفعت مبلغ لم يصل الفني موعد زيارة شكوى طلب توصيل جديد نقل اسم المستأجر
    الإيجار تسرب ماء المياه ضغط ضعيف صباح مساء الخير شكرا لكم أرجو الرد تأخر مشكلة الشبكة المنطقة المبنى
    الشقة الطابق الأرضي المزرعة المحل استهلاك عال مقارنة بالشهر السابق صورة أرسلت لا يعمل الشاشة مطفأة مكسور
    تالف تبديل رسوم إعادة التيار مفصول بدون إشعار خطأ في تقدير الفعلية متى كيف لماذا أين الموقع
    """
)
ENGLISH = _words(
    """
    bill meter reading electricity water high this month last account number payment paid technician visit
    appointment complaint request connection transfer tenant leak pressure morning please reply late problem
    network building flat farm shop consumption photo sent display broken replace fee reconnect supply cut
    without notice estimate actual when why where location thanks
    """
)
FIRST = _words(
    """
    أحمد محمد سالم خالد سعيد ناصر علي حمد سلطان يوسف مريم فاطمة عائشة زينب ليلى نورة أمل شيخة منى هدى John
    Mary Ravi Anita
    """
)
LAST = _words(
    """
    البلوشي الحارثي الكندي الهنائي المعمري السيابي الراشدي الشكيلي الغافري الجابري العبري المقبالي الفارسي
    الزدجالي اللواتي Kumar Fernandes Thomas Khan Smith
    """
)
"""First and last put together are names as there are, of nobody in particular."""


def sentences(seed: int = 1) -> list[str]:
    """The same ones for the same seed; the words at the front of each list are the common ones (Zipf)."""
    chance = random.Random(seed)
    return [_sentence(chance) for _ in range(SENTENCES)]


def names() -> list[str]:
    return [f"{first} {last}" for first in FIRST for last in LAST]


def _sentence(chance: random.Random) -> str:
    words = ENGLISH if chance.random() < 0.2 else ARABIC
    weights = [1 / (rank + 3) for rank in range(len(words))]
    said = chance.choices(words, weights, k=chance.randint(3, 12))
    if chance.random() < 0.25:
        said.insert(chance.randint(0, len(said)), str(chance.randint(1_000, 9_999_999)))
    return " ".join(said)
