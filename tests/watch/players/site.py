"""A service that nobody wrote, in Arabic and English, with each of the ways in which services fail people."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

HEAD = "<!doctype html><html lang=ar dir=rtl><meta name=viewport content='width=device-width'><title>خدمة</title>"
DESK = f"""{HEAD}<link rel=stylesheet href=/style.css><script src=/script.js></script>
<style>.sr{{position:absolute;width:1px;height:1px;overflow:hidden}} @media (max-width:600px){{.desk{{display:none}}}}</style>
<h1>مركز الخدمة</h1><a href=/ticket>بلاغٌ جديد</a> <a href=/ticket>بلاغ جديد</a>
<div class=card><p>فاتورة يناير <button onclick="seen.textContent='يناير'">عرض</button></div>
<div class=card><p>فاتورة فبراير <button onclick="seen.textContent='فبراير'">عرض</button></div><p id=seen></p>
<button class=desk>Print</button> <button disabled>ادفع الآن</button> <span class=sr>للقارئ فقط</span>
<span style="opacity:0">شفاف</span> <div onclick="seen.textContent='shown'">More</div>
<div style="position:relative;display:inline-block"><button>مغطى</button><div style="position:absolute;inset:0"></div></div>
<p>رصيدكم <b>١٢</b>٫٥٠٠ ريال</p><p id=late></p>
<script>setTimeout(() => late.textContent = 'Your number is T-4521', 250)</script>"""
FORM = f"""{HEAD}<form method=post action=ACTION><table><tr><td>رقم الحساب<td><input name=account></table>
<label>الاسم * <input name=name></label><label for=mail>البريد الإلكتروني<i>مطلوب</i></label><input id=mail type=email name=mail>
<label>تأكيد البريد <input type=email name=again></label><input name=phone placeholder="رقم الهاتف">
<input name=pin type=password aria-label="الرمز السري">
<label>الخدمة <select name=service><option>كهرباء<option>ماء</select></label>
<fieldset><legend>الوقت</legend><label><input type=radio name=t value=am> صباحًا</label>
<label><input type=radio name=t value=pm> مساءً</label></fieldset>
<label><input type=checkbox name=ok> أوافق على الشروط</label>
<label>المشكلة <textarea name=problem></textarea></label>
<label>صورة <input type=file name=file></label><button>إرسال</button></form>"""
BARE = f"""{HEAD}<link rel=stylesheet href=/gone.css><script src=/gone.js></script><script>nope()</script><p>Bare"""
FRAME = """<input placeholder="اكتب رسالتك"><button onclick="document.body.append('وصل')">أرسل</button>"""
WINDOW = f"""{HEAD}<a href=/done target=_blank>في نافذة</a>
<button onclick="confirm('متأكد؟') && (gone.textContent = 'حُذف')">حذف</button><p id=gone></p>"""


@dataclass
class Site:
    """``asked``: each request's path and headers; ``sent``: what forms brought."""

    url: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: list[dict[str, list[str]]] = field(default_factory=list)

    def get(self, path: str) -> tuple[int, str]:
        pages = {
            "/": DESK,
            "/ticket": FORM.replace("ACTION", "/ticket"),
            "/forgets": FORM.replace("ACTION", "/forgets"),
            "/done": f"{HEAD}<h1>تم استلام بلاغك</h1><p>رقم البلاغ: ٤٥٢١</p><p>Account 12 34-5678</p>",
            "/bare": BARE,
            "/frame": FRAME,
            "/chat": f"{HEAD}<h1>محادثة</h1><iframe src=/frame></iframe>",
            "/window": WINDOW,
            "/other": f"{HEAD}<label>البريد <input type=email></label>",
        }
        codes = {
            "/error": (500, "<h1>Server Error"),
            "/many": (429, "slow down"),
            "/private": (403, "no"),
            "/human": (503, f"{HEAD}<p>Verify you are human by completing the action below."),
        }
        return codes.get(path) or ((200, pages[path]) if path in pages else (404, "<h1>Not Found"))


@contextmanager
def served() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.asked.append((path, dict(self.headers)))
            if path == "/script.js":
                self.answer(200, "1", "text/javascript")
            elif path == "/style.css":
                self.answer(200, "b{color:red}", "text/css")
            elif path == "/silent":
                time.sleep(2)
            else:
                self.answer(*site.get(path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            site.sent.append(parse_qs(body, keep_blank_values=True))
            if self.path == "/forgets":
                self.answer(200, "<p>حدث خطأ</p>" + site.get("/forgets")[1])
            else:
                self.answer(303, "", location="/done")

        def answer(
            self, status: int, text: str, kind: str = "text/html; charset=utf-8", location: str = ""
        ) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After", "120")
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
