"""A made-up service of middling weight: styles, a script that works, photographs, Arabic. ``python -m bench.watch._site`` prints
its port and serves until it is ended."""

import io
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

from PIL import Image

PHOTOGRAPHS = 4
HEAD = (
    "<!doctype html><html lang=ar dir=rtl><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>خدمات المشتركين</title><link rel=stylesheet href=/style.css><script src=/script.js defer></script>"
    "<header><h1>خدمات المشتركين</h1><nav><a href=/>الرئيسية</a> <a href=/ticket>تقديم بلاغ</a></nav></header><main>"
)
NEWS = "".join(
    f"<article class='card c{n}'><h2>خبر رقم {n}</h2>"
    + (f"<img src=/photograph/{n}.jpg width=360 height=200 alt=''>" if n < PHOTOGRAPHS else "")
    + f"<p>{'نص عن الفواتير والعدادات ومواعيد القراءة وطرق الدفع. ' * 6}</p></article>"
    for n in range(24)
)
STYLE = (
    "body{margin:0;font:16px/1.6 sans-serif}header{padding:16px;background:linear-gradient(90deg,#064,#096);color:#fff}"
    ".card{margin:12px;padding:12px;border-radius:10px;box-shadow:0 2px 8px #0003}input,textarea,button{font:inherit;width:100%;"
    "padding:10px;margin:4px 0;box-sizing:border-box}img{max-width:100%}"
) + "".join(
    f".c{n}{{border-inline-start:{n % 5}px solid hsl({n * 7} 50% 50%)}}.u{n}:hover{{color:#{n:03d}}}"
    for n in range(900)
)
SCRIPT = (
    "const words = {};\n"
    + "".join(f"words['key{n}'] = 'value of {n}'.repeat(3);\n" for n in range(1500))
    + "for (const p of document.querySelectorAll('p')) p.dataset.length = p.textContent.split(' ').length;\n"
    "document.querySelectorAll('.card').forEach((c, n) => c.addEventListener('click', () => c.classList.toggle('u' + n)));\n"
)
FORM = (
    "<form method=post action=/ticket class=card><label>الاسم <input name=name></label><label>البريد الإلكتروني"
    " <input name=mail type=email></label><label>المشكلة <textarea name=problem></textarea></label><button>إرسال</button></form>"
)


def _photograph(n: int) -> bytes:
    noise = Image.frombytes("L", (60, 34), Random(n).randbytes(60 * 34))
    out = io.BytesIO()
    noise.resize((720, 400), Image.Resampling.BICUBIC).convert("RGB").save(out, "JPEG", quality=80)
    return out.getvalue()


ANSWERS = {
    "/": ("text/html; charset=utf-8", f"{HEAD}{NEWS}".encode()),
    "/ticket": ("text/html; charset=utf-8", f"{HEAD}{FORM}{NEWS}".encode()),
    "/thanks": ("text/html; charset=utf-8", f"{HEAD}<p>تم استلام بلاغكم رقم ٤٥٢١</p>{NEWS}".encode()),
    "/style.css": ("text/css", STYLE.encode()),
    "/script.js": ("text/javascript", SCRIPT.encode()),
} | {f"/photograph/{n}.jpg": ("image/jpeg", _photograph(n)) for n in range(PHOTOGRAPHS)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind, body = ANSWERS.get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(303)
        self.send_header("Location", "/thanks")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port)
    sys.stdout.flush()
    server.serve_forever()
