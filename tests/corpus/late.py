"""Pages that go on changing after they have loaded, some of them forever."""

from __future__ import annotations

import json

from .page import IMAGE, RED, TURN, Page, scripted


def in_worker(code: str) -> str:
    """A page's script that turns its block when a worker with this code says something. It knows its `origin`."""
    worker = json.dumps(f"const origin = '%'; {code}")
    return f"new Worker(URL.createObjectURL(new Blob([{worker}.replace('%', origin)]))).onmessage = () => turn()"


LATE: dict[str, Page] = {
    "timer": scripted("setTimeout(turn, 400)"),
    "chain-of-timers": scripted("let n = 0; const next = () => ++n > 10 ? turn() : setTimeout(next, 30); next()"),
    "fetch": scripted("fetch('/slow').then(() => turn())"),
    "answer-after-1-s": scripted("fetch('/slow?ms=1000').then(() => turn())"),
    "answer-after-2-5-s": scripted("onload = () => fetch('/slow?ms=2500').then(() => turn())"),
    "answer-after-5-s": scripted("fetch('/slow?ms=5000').then(() => turn())"),
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
    "worker-script": scripted("new Worker('/script?code=setTimeout(()=>postMessage(1),150)').onmessage = () => turn()"),
    "fetch-in-worker": scripted(
        in_worker("fetch(`${origin}/slow?ms=2000`).then(answer => answer.text()).then(() => postMessage(1))")
    ),
    "fetches-in-worker": scripted(
        in_worker(
            "(async () => { for (const n of [1, 2, 3]) { await (await fetch(`${origin}/slow?ms=300&n=${n}`)).text();"
            "await new Promise(done => setTimeout(done, 100)) } postMessage(1) })()"
        )
    ),
    "fetch-in-worker-of-worker": scripted(
        in_worker(
            "new Worker(URL.createObjectURL(new Blob([`fetch('${origin}/slow?ms=2000').then(() => postMessage(1))`])))"
            ".onmessage = () => postMessage(1)"
        )
    ),
    "busy-worker": scripted(in_worker("const end = Date.now() + 1500; while (Date.now() < end) {} postMessage(1)")),
    "worker-and-late-answer": scripted(
        "new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])));"
        "onload = () => fetch('/slow?ms=2000').then(() => turn())"
    ),
    "service-worker-and-late-answer": scripted(
        "navigator.serviceWorker.register('/script?code=addEventListener(%22fetch%22,e=>e.respondWith(fetch(e.request)))');"
        "onload = () => fetch('/slow?ms=2000').then(() => turn())"
    ),
    "import-in-worker": scripted(in_worker("importScripts(`${origin}/script?code=postMessage(1)&ms=2000`)")),
    "module-worker": scripted(
        "new Worker('/script?code=import%22/script?code=postMessage(1)%26ms=2000%22', {type: 'module'})"
        ".onmessage = () => turn()"
    ),
    "fetch-in-shared-worker": scripted(
        "const w = new SharedWorker('/script?code=onconnect=e=>fetch(%22/slow?ms=2000%22)"
        ".then(()=>e.ports[0].postMessage(1))'); w.port.onmessage = () => turn()"
    ),
    "service-worker-that-takes-its-time": scripted(
        "const worker = navigator.serviceWorker;"
        "worker.register('/script?code=' + encodeURIComponent(`"
        "addEventListener('install', () => skipWaiting());"
        "addEventListener('activate', event => event.waitUntil(clients.claim()));"
        "addEventListener('fetch', event => event.respondWith("
        "new Promise(done => setTimeout(() => done(new Response('')), 700))))`));"
        "worker.oncontrollerchange = () => fetch('/anything').then(() => turn())"
    ),
    "shared-worker": scripted(
        "const w = new SharedWorker('/script?code=onconnect=e=>e.ports[0].postMessage(1)'); w.port.onmessage = () => turn()"
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
    # The page is finished at the third message, and messages never stop.
    "websocket-chatter": scripted(
        "let n = 0; new WebSocket('ws://' + location.host + '/chatter').onmessage = () => ++n === 3 && turn()"
    ),
    "event-stream": scripted("new EventSource('/hang'); setTimeout(turn, 200)"),
    "text-of-the-world": scripted(
        "const k = document.createElement('canvas').getContext('2d'); k.font = '40px sans-serif';"
        "const look = t => { k.clearRect(0, 0, 300, 150); k.fillText(t, 10, 60); return k.canvas.toDataURL() };"
        "const none = look('\\u{10FFFE}');"
        "if (['漢', 'あ', '한', 'ع', 'ह', 'த', '😀', 'ש', 'ไ'].every(c => look(c) !== none)) turn()"
    ),
}
