"""Pages of every kind, each with its own geometry: points of the picture that are green when it is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STYLE = "<style>html,body{margin:0}.g{background:#00aa00}.r{background:#ff0000}.b{display:block;width:100%;height:200px}</style>"
GREEN_TOP = ((640, 100),)
FULL = {"fullPage": True}


@dataclass(frozen=True)
class Page:
    """`green` are points in CSS pixels of the picture, `other` points that must not be."""

    body: str
    green: tuple[tuple[int, int], ...] = GREEN_TOP
    other: tuple[tuple[int, int], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    head: str = ""

    @property
    def html(self) -> str:
        return f"<!doctype html><meta charset=utf-8><title>corpus</title>{STYLE}{self.head}<body>{self.body}"


IMAGE = "/image?colour=00aa00"
SPACE = "<div style='height:3000px'></div>"
# `turn(id)` is what a page does when it is done.
TURN = "<script>const turn = (id = 'x') => { document.getElementById(id).className = 'b g' }</script>"
RED = "<div id=x class='b r'></div>"


def scripted(code: str, **more: Any) -> Page:
    """A red block that a script turns green."""
    return Page(f"{RED}{TURN}<script>{code}</script>", **more)


STILL: dict[str, Page] = {
    "plain": Page("<div class='b g'></div>"),
    "image": Page(f"<img class=b src='{IMAGE}'>"),
    "picture": Page(f"<picture><source srcset='{IMAGE}'><img class=b src='/image?colour=ff0000'></picture>"),
    "srcset": Page(f"<img class=b srcset='{IMAGE} 1x, /image?colour=ff0000 2x'>"),
    "data-image": Page(
        "<img class=b src=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'%3E"
        "%3Crect width='9' height='9' fill='%2300aa00'/%3E%3C/svg%3E\" style='object-fit:fill'>"
    ),
    "object-fit": Page(f"<img class=b src='{IMAGE}' style='object-fit:cover'>"),
    "css-background": Page("<div class=b></div>", head=f"<style>.b{{background:url('{IMAGE}') center/cover}}</style>"),
    "css-import": Page(
        "<div class='b k'></div>",
        head="<style>@import '/style?css=@import%20%22/style?css=.k{background:%252300aa00}%22;'</style>",
    ),
    "stylesheet": Page(
        "<div class='b k'></div>", head="<link rel=stylesheet href='/style?css=.k{background:%2300aa00}'>"
    ),
    "inline-svg": Page(
        "<svg class=b viewBox='0 0 9 9' preserveAspectRatio=none><rect width=9 height=9 fill=#00aa00 /></svg>"
    ),
    "canvas": Page(
        "<canvas id=c width=1280 height=200></canvas><script>const k = c.getContext('2d');"
        "k.fillStyle = '#00aa00'; k.fillRect(0, 0, 1280, 200)</script>"
    ),
    "shadow-dom": Page(
        "<div id=h></div><script>h.attachShadow({mode: 'closed'}).innerHTML ="
        "'<div style=\"height:200px;background:#00aa00\"></div>'</script>"
    ),
    "declarative-shadow": Page(
        "<div><template shadowrootmode=open><div style='height:200px;background:#00aa00'></div></template></div>"
    ),
    "custom-element": Page(
        "<x-block></x-block><script>customElements.define('x-block', class extends HTMLElement {"
        "connectedCallback() { this.innerHTML = '<div class=\"b g\"></div>' } })</script>"
    ),
    "frame": Page("<iframe class=b style='border:0' src='/page?body=<body style=background:%2300aa00>'></iframe>"),
    "frame-in-frame": Page(
        "<iframe class=b style='border:0' srcdoc=\"<style>*{margin:0;border:0}</style><iframe style='width:100%;height:200px' "
        "src='/page?body=<body style=background:%2300aa00>'></iframe>\"></iframe>"
    ),
    "frame-with-image": Page(
        f"<iframe class=b style='border:0' srcdoc=\"<body style='margin:0'><img style='width:100%;height:200px' src='{IMAGE}'>\">"
        "</iframe>"
    ),
    "object": Page(f"<object class=b data='{IMAGE}' type='image/svg+xml'></object>"),
    "video-poster": Page(f"<video class=b poster='{IMAGE}' style='object-fit:fill'></video>"),
    "dark": Page(
        RED,
        head="<style>@media(prefers-color-scheme:dark){#x{background:#00aa00}}</style>",
        options={"colorScheme": "dark"},
    ),
    "print": Page(RED, head="<style>@media print{#x{background:#00aa00}}</style>", options={"media": "print"}),
    "reduced-motion": Page(
        RED,
        head="<style>@media(prefers-reduced-motion:reduce){#x{background:#00aa00}}</style>",
        options={"reducedMotion": True},
    ),
    "consent-banner": Page(
        "<div id=consent style='position:fixed;inset:0;background:#ff0000'></div><div class='b g'></div>",
        options={"remove": ["#consent"]},
    ),
    "grid": Page(
        "<div style='display:grid;grid-template-columns:1fr 1fr'><i class='b r'></i><i class='b g'></i></div>",
        ((900, 100),),
    ),
    "columns": Page("<div style='columns:2;column-gap:0'><i class='b r'></i><i class='b g'></i></div>", ((900, 100),)),
    "rtl": Page(
        "<div dir=rtl><i class=g style='display:block;width:300px;height:200px'></i></div>",
        ((1100, 100),),
        ((300, 100),),
    ),
    "transform": Page(
        "<div class=g style='width:200px;height:200px;transform:translateX(500px) scale(1.5)'></div>",
        ((600, 100),),
        ((100, 100),),
    ),
    "clip-path": Page("<div class='b g' style='clip-path:inset(0 0 0 50%)'></div>", ((900, 100),), ((300, 100),)),
    "huge-table": Page(
        "<table style='border-spacing:0'><script>"
        "for (let i = 0; i < 1500; i++) document.write('<tr style=height:20px>' + '<td>cell</td>'.repeat(20) + '</tr>')</script>"
        "</table><div class='b g'></div>",
        options={**FULL, "maxHeight": 60_000},
        green=((640, -100),),
    ),
    "base": Page("<img class=b src='image?colour=00aa00'>", head="<base href='/'>"),
    "error-page": Page(
        "<img class=b src='/missing' onerror='this.onerror = null; this.src = \"/image?colour=00aa00\"'>"
    ),
    "fixed-footer": Page(
        "<div class='b r'></div><div class=g style='position:fixed;bottom:0;width:100%;height:100px'></div>",
        ((640, 750),),
    ),
    "anchor": Page("<details open><summary>s</summary><div class='b g'></div></details>"),
}

TALL: dict[str, Page] = {
    "lazy-attribute": Page(f"{SPACE}<img class=b loading=lazy src='{IMAGE}'>", ((640, 3100),), options=FULL),
    "lazy-observer": Page(
        f"{SPACE}<img class=b id=l data-src='{IMAGE}'><script>new IntersectionObserver(es => es.forEach(e => {{"
        "if (e.isIntersecting) l.src = l.dataset.src })).observe(l)</script>",
        ((640, 3100),),
        options=FULL,
    ),
    "lazy-scroll-event": Page(
        f"{SPACE}<img class=b id=l data-src='{IMAGE}'><script>addEventListener('scroll', () => {{"
        "if (l.getBoundingClientRect().top < innerHeight && !l.src) l.src = l.dataset.src })</script>",
        ((640, 3100),),
        options=FULL,
    ),
    "lazy-background": Page(
        f"{SPACE}<div class=b id=l></div><script>new IntersectionObserver(es => es.forEach(e => {{"
        f"if (e.isIntersecting) l.style.background = 'url({IMAGE})' }})).observe(l)</script>",
        ((640, 3100),),
        options=FULL,
    ),
    "lazy-frame": Page(
        f"{SPACE}<iframe class=b loading=lazy style='border:0' src='/page?body=<body style=background:%2300aa00>'></iframe>",
        ((640, 3100),),
        options=FULL,
    ),
    "many-lazy-images": Page(
        "".join(f"<div style='height:900px'></div><img class=b loading=lazy src='{IMAGE}&n={n}'>" for n in range(8)),
        tuple((640, 1100 * n + 1000) for n in range(8)),
        options=FULL,
    ),
    "infinite-scroll": Page(
        f"<div style='height:1500px'></div><script>let n = 0; addEventListener('scroll', async () => {{ if (n < 3) {{ n++;"
        f"await fetch('/slow'); document.body.insertAdjacentHTML('beforeend', '<img class=b src={IMAGE}>') }} }})</script>",
        ((640, 1600), (640, 1800), (640, 2000)),
        options=FULL,
    ),
    "sticky-header": Page(
        f"<div class='b g' style='position:sticky;top:0'></div>{SPACE}",
        ((640, 100),),
        ((640, 700), (640, 2000)),
        options=FULL,
    ),
    "fixed-header": Page(
        f"<div class='b g' style='position:fixed;top:0'></div>{SPACE}",
        ((640, 100),),
        ((640, 1000), (640, 2500)),
        options=FULL,
    ),
    "vh-sections": Page(
        "<div style='height:100vh' class=r></div><div style='height:100vh' class=g></div><div style='height:100vh' class=r></div>",
        ((640, 900), (640, 1500)),
        ((640, 700), (640, 1700)),
        options=FULL,
    ),
    "30000-px": Page(
        "<div style='height:29800px' class=r></div><div class='b g'></div>",
        ((640, 29_900),),
        options={**FULL, "maxHeight": 60_000},
    ),
    "parallax": Page(
        f"<div class=b style='height:2500px;background:fixed url({IMAGE}) center/cover'></div>",
        ((640, 100), (640, 2000)),
        options=FULL,
    ),
    "reveal-on-scroll": Page(
        f"{SPACE}<div id=x class='b g' style='opacity:0;transition:opacity .4s'></div><script>new IntersectionObserver(es => "
        "es.forEach(e => { if (e.isIntersecting) x.style.opacity = 1 })).observe(x)</script>",
        ((640, 3100),),
        options=FULL,
    ),
    "long-polling-and-lazy": Page(
        f"{SPACE}<img class=b loading=lazy src='{IMAGE}'><script>setInterval(() => fetch('/poll'), 80)</script>",
        ((640, 3100),),
        options=FULL,
    ),
}

LATE: dict[str, Page] = {
    "timer": scripted("setTimeout(turn, 400)"),
    "chain-of-timers": scripted("let n = 0; const next = () => ++n > 10 ? turn() : setTimeout(next, 30); next()"),
    "fetch": scripted("fetch('/slow').then(() => turn())"),
    "chain-of-fetches": scripted("(async () => { for (let i = 0; i < 3; i++) await fetch('/slow?n=' + i); turn() })()"),
    "fetch-after-load": scripted("onload = () => setTimeout(() => fetch('/slow').then(() => turn()), 200)"),
    "hydration": scripted("onload = () => requestIdleCallback(() => setTimeout(turn, 100))"),
    "late-layout": scripted(
        "x.style.marginTop = '0'; setTimeout(() => { x.style.marginTop = '300px'; turn() }, 300)",
        green=((640, 400),),
        other=((640, 100),),
    ),
    "late-image": Page(
        f"<div id=x></div><script>setTimeout(() => {{ x.innerHTML = '<img class=b src={IMAGE}>' }}, 300)</script>"
    ),
    "image-swap": Page(
        f"<img class=b id=i src='/image?colour=ff0000' onload=\"setTimeout(() => {{ i.onload = null; i.src = '{IMAGE}' }}, 50)\">"
    ),
    "late-class": Page(
        "<div id=x class=b></div><script>setTimeout(() => { x.className = 'b k' }, 200)</script>",
        head=f"<style>.k{{background:url('{IMAGE}')}}</style>",
    ),
    "module": Page(f"{RED}{TURN}<script type=module>import('/script?code=turn()')</script>"),
    "late-script": scripted(
        "setTimeout(() => { const s = document.createElement('script'); s.src = '/script?code=turn()'; document.head.append(s) }, 100)"
    ),
    "late-stylesheet": Page(
        "<div class='b k'></div><script>setTimeout(() => { const l = document.createElement('link'); l.rel = 'stylesheet';"
        "l.href = '/style?css=.k{background:%2300aa00}'; document.head.append(l) }, 150)</script>"
    ),
    "fade-in": Page(
        "<div class='b g k'></div>", head="<style>@keyframes f{from{opacity:0}}.k{animation:f 2s 300ms both}</style>"
    ),
    "transition": Page(
        "<div id=x class='b' style='transition:background .8s;background:#ff0000'></div>"
        "<script>onload = () => { x.style.background = '#00aa00' }</script>"
    ),
    "spa-route": Page(
        "<div id=x></div><script>onload = async () => { history.pushState({}, '', '/route'); await fetch('/slow');"
        "x.innerHTML = '<div class=\"b g\"></div>' }</script>"
    ),
    "skeleton": Page(
        "<div id=x class='b r'></div><script>fetch('/slow').then(() => fetch('/slow?2')).then(() => { x.className = 'b g' })</script>"
    ),
    "mutation-observer": scripted(
        "new MutationObserver(() => turn()).observe(document.body, {childList: true});"
        "setTimeout(() => document.body.append(document.createElement('p')), 250)"
    ),
    "resize-observer": scripted(
        "new ResizeObserver(es => { if (es[0].contentRect.height > 250) turn() }).observe(x);"
        "setTimeout(() => { x.style.minHeight = '300px' }, 200)"
    ),
    "font": Page(
        "<div id=x class='b r'></div><script>document.fonts.load('20px k').then(fs => { if (fs.length) x.className = 'b g' })</script>",
        head="<style>@font-face{font-family:k;src:url(/font)}#x{font-family:k}</style>",
    ),
    "service-worker": scripted(
        "navigator.serviceWorker.register('/script?code=addEventListener(%22fetch%22,()=>{})')"
        ".then(() => navigator.serviceWorker.ready).then(() => turn())"
    ),
    "worker": scripted(
        "new Worker(URL.createObjectURL(new Blob(['setTimeout(() => postMessage(1), 150)']))).onmessage = () => turn()"
    ),
    "database": scripted("const r = indexedDB.open('k'); r.onsuccess = () => turn()"),
    "blob-image": Page(
        f"<img class=b id=i><script>fetch('{IMAGE}').then(r => r.blob()).then(b => {{ i.src = URL.createObjectURL(b) }})</script>"
    ),
    "moves-on": Page(
        "<script>setTimeout(() => { location = '/page?body=<div class=g style=height:200px>' }, 200)</script>"
    ),
    "long-polling": scripted("const again = () => fetch('/hang').then(again); again(); setTimeout(turn, 200)"),
    "polling": scripted("setInterval(() => fetch('/poll'), 60); setTimeout(turn, 300)"),
    "event-stream": scripted("new EventSource('/hang'); setTimeout(turn, 200)"),
    "text-of-the-world": scripted(
        "const k = document.createElement('canvas').getContext('2d'); k.font = '40px sans-serif';"
        "const look = t => { k.clearRect(0, 0, 300, 150); k.fillText(t, 10, 60); return k.canvas.toDataURL() };"
        "const none = look('\\u{10FFFE}');"
        "if (['漢', 'あ', '한', 'ع', 'ह', 'த', '😀', 'ש', 'ไ'].every(c => look(c) !== none)) turn()"
    ),
}

PAGES: dict[str, Page] = {**STILL, **TALL, **LATE}
