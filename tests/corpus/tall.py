"""Pages that are captured in full, with content that loads as it comes near the viewport."""

from __future__ import annotations

from .page import FULL, IMAGE, SPACE, Page

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
