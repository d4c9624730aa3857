"""Pages that are finished once they have loaded."""

from __future__ import annotations

from .page import FULL, IMAGE, RED, Page

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
    "webgl": Page(
        "<canvas id=c width=1280 height=200></canvas><script>const k = c.getContext('webgl'), p = k.createProgram();"
        "const s = (t, code) => { const x = k.createShader(t); k.shaderSource(x, code); k.compileShader(x);"
        "k.attachShader(p, x) };"
        "s(k.VERTEX_SHADER, 'attribute vec2 a; void main() { gl_Position = vec4(a, 0., 1.); }');"
        "s(k.FRAGMENT_SHADER, 'void main() { gl_FragColor = vec4(0., 170. / 255., 0., 1.); }');"
        "k.linkProgram(p); k.useProgram(p); k.bindBuffer(k.ARRAY_BUFFER, k.createBuffer());"
        "k.bufferData(k.ARRAY_BUFFER, new Float32Array([-1, -3, -1, 1, 3, 1]), k.STATIC_DRAW);"
        "k.enableVertexAttribArray(0); k.vertexAttribPointer(0, 2, k.FLOAT, false, 0, 0);"
        "k.drawArrays(k.TRIANGLES, 0, 3)</script>"
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
