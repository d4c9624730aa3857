"""The attacks: vectors by which a page makes a request, and names of addresses that it must not reach."""

from __future__ import annotations

# Hosts as a page writes them. Each is an address of the canaries, or resolves to one.
HOSTS = (
    "127.0.0.1",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "0.0.0.0",
    "0",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "①②⑦.⓪.⓪.①",
    "１２７。０。０。１",
    "user:secret@127.0.0.1",
    "inward.test",
    "inward6.test",
    "mapped.test",
    "mixed.test",
)

# Each value is the body of a page; URL is what the page must not reach. The key is part of the requested path.
VECTORS = {
    "image": '<img src="URL">',
    "srcset": '<img srcset="URL 1x">',
    "picture": '<picture><source srcset="URL"><img></picture>',
    "script": '<script src="URL"></script>',
    "module": '<script type="module" src="URL"></script>',
    "import": '<script>import("URL").catch(() => 0)</script>',
    "stylesheet": '<link rel="stylesheet" href="URL">',
    "css-import": "<style>@import url('URL');</style>",
    "css-background": "<div style=\"background:url('URL');height:9px\"></div>",
    "css-font": "<style>@font-face{font-family:f;src:url('URL')}</style><p style='font-family:f'>text</p>",
    "css-cursor": "<style>li{list-style-image:url('URL')}</style><ul><li>text</ul>",
    "frame": '<iframe src="URL"></iframe>',
    "frame-in-frame": "<iframe srcdoc=\"<img src='URL'>\"></iframe>",
    "frame-moved": '<iframe id=f></iframe><script>f.contentWindow.location = "URL"</script>',
    "object": '<object data="URL"></object>',
    "embed": '<embed src="URL">',
    "video": '<video src="URL" autoplay muted></video>',
    "poster": '<video poster="URL"></video>',
    "audio": '<audio src="URL" autoplay></audio>',
    "svg-image": '<svg><image href="URL" width="9" height="9"/></svg>',
    "svg-use": '<svg><use href="URL#a"/></svg>',
    "input-image": '<input type="image" src="URL">',
    "preload": '<link rel="preload" as="image" href="URL">',
    "module-preload": '<link rel="modulepreload" href="URL">',
    "prefetch": '<link rel="prefetch" href="URL">',
    "preconnect": '<link rel="preconnect" href="URL">',
    "icon": '<link rel="icon" href="URL">',
    "manifest": '<link rel="manifest" href="URL">',
    "fetch": '<script>fetch("URL").catch(() => 0)</script>',
    "fetch-no-cors": '<script>fetch("URL", {mode: "no-cors", method: "POST", body: "x"}).catch(() => 0)</script>',
    "fetch-keepalive": '<script>fetch("URL", {keepalive: true, mode: "no-cors"}).catch(() => 0)</script>',
    "xhr": '<script>var x = new XMLHttpRequest(); x.open("GET", "URL"); x.send()</script>',
    "beacon": '<script>navigator.sendBeacon("URL", "x")</script>',
    "event-source": '<script>new EventSource("URL")</script>',
    "web-socket": '<script>try { new WebSocket("URL".replace("http", "ws")) } catch (e) {}</script>',
    "worker": (
        "<script>new Worker(URL.createObjectURL(new Blob(["
        '\'fetch("TARGET", {mode: "no-cors"}).catch(() => 0)\'])))</script>'
    ),
    "worker-import": (
        "<script>new Worker(URL.createObjectURL(new Blob(['try { importScripts(\"TARGET\") } catch (e) {}'])))</script>"
    ),
    "shared-worker": (
        "<script>new SharedWorker(URL.createObjectURL(new Blob(["
        '\'fetch("TARGET", {mode: "no-cors"}).catch(() => 0)\'])))</script>'
    ),
    "form": '<iframe name=t></iframe><form id=f action="URL" target=t method=post></form><script>f.submit()</script>',
    "popup": '<script>window.open("URL")</script>',
    "popup-blank": '<script>var w = window.open(); if (w) w.location = "URL"</script>',
    "ping": '<a id=a href="#x" ping="URL">x</a><script>a.click()</script>',
    "redirect-301": '<img src="/redirect?status=301&to=QUOTED">',
    "redirect-302": '<script src="/redirect?status=302&to=QUOTED"></script>',
    "redirect-303": '<script>fetch("/redirect?status=303&to=QUOTED", {mode: "no-cors"}).catch(() => 0)</script>',
    "redirect-307": '<iframe src="/redirect?status=307&to=QUOTED"></iframe>',
    "redirect-308": '<link rel="stylesheet" href="/redirect?status=308&to=QUOTED">',
    "refresh-in-frame": "<iframe srcdoc=\"<meta http-equiv=refresh content='0;url=URL'>\"></iframe>",
    "web-rtc-udp": (
        "<script>var p = new RTCPeerConnection({iceServers: [{urls: 'stun:AUTHORITY'}]}); p.createDataChannel('x');"
        "p.createOffer().then(o => p.setLocalDescription(o)).catch(() => 0)</script>"
    ),
    "web-rtc-tcp": (
        "<script>try { var p = new RTCPeerConnection({iceServers: [{urls: 'turn:AUTHORITY?transport=tcp', "
        "username: 'u', credential: 'c'}]}); p.createDataChannel('x');"
        "p.createOffer().then(o => p.setLocalDescription(o)).catch(() => 0) } catch (e) {}</script>"
    ),
    "web-transport": '<script>try { new WebTransport("URL".replace("http:", "https:")) } catch (e) {}</script>',
}

# Vectors that no guard sees: the flags make the browser ignore them; without the flags, they would bypass any proxy.
BLOCKED_BY_FLAGS = frozenset({"popup", "popup-blank", "web-rtc-udp", "web-transport"})
# Vectors that a headless browser never uses, even without guard and flags.
UNSUPPORTED = frozenset({"icon", "manifest", "preconnect", "svg-use"})
# Vectors with fewer requests than hosts: one at a time, one per name, or only those that look like hosts.
FEWER_REQUESTS = frozenset({"css-cursor", "form", "frame-moved", "ping", "web-rtc-tcp", "web-socket"})
# Vectors whose first line on the wire contains no path.
WITHOUT_PATH = frozenset({"web-rtc-tcp", "web-rtc-udp", "web-transport"})


def body_of(vector: str, host: str, port: int) -> str:
    """The body of a page that attacks one host by one vector."""
    # A unique path for each host, because a browser requests the same URL only once.
    mark = HOSTS.index(host) if host in HOSTS else host.strip("[]").replace(":", "-")
    target = f"http://{host}:{port}/{vector}/{mark}"
    authority = f"{host.rpartition('@')[2]}:{port}"
    text = VECTORS[vector]
    if "TARGET" in text:
        return text.replace("TARGET", target)
    quoted = target.replace("%", "%25").replace("&", "%26").replace("#", "%23")
    return text.replace("QUOTED", quoted).replace("AUTHORITY", authority).replace("URL", target)
