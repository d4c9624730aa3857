"""Pages that take more memory than a browser may have, one for each kind of memory that a page can get at.

Each goes on until it has 2 to 4 GB, if it is let. Needs nothing but the standard library.
"""

from __future__ import annotations

# What the scripts have in common.
PRELUDE = """
const kept = []
const filled = (megabytes, i) => new Uint8Array(megabytes << 20).fill(i + 1)
const pause = (ms = 0) => new Promise((done) => setTimeout(done, ms))
const each = async (count, work) => { for (let i = 0; i < count; i++) { kept.push(await work(i)); await pause() } }
const made = (name, properties) => Object.assign(document.createElement(name), properties)
const add = (name, properties = {}) => document.body.appendChild(made(name, properties))
const random = (megabytes) => {
    const bytes = new Uint8Array(megabytes << 20)
    for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
    return bytes
}
const script = (text) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
const hog = (megabytes) => `
    const kept = []; for (let i = 0; i < ${megabytes / 8}; i++) kept.push(new Uint8Array(8 << 20).fill(i + 1))`
const canvas = (size, i) => {
    const one = made('canvas', { width: size, height: size })
    const context = one.getContext('2d')
    context.fillStyle = `hsl(${i * 9}, 50%, 50%)`
    context.fillRect(0, 0, size, size)
    return one
}
"""
# The renderer's own memory.
HEAPS = {
    "heap": "await each(400, (i) => new Array(1 << 20).fill(Math.random()))",
    "heap of a busy page": "for (;;) kept.push(new Array(1 << 20).fill(Math.random()))",
    "small objects": "for (let i = 0; ; i++) { kept.push({ i, text: 'x' + i }); if (i % 1e6 === 0) await pause() }",
    "array buffers": "await each(200, (i) => filled(16, i))",
    "one array buffer": "kept.push(filled(1900, 1))",
    "shared array buffers": """
        await each(200, (i) => {
            const memory = new WebAssembly.Memory({ initial: 256, maximum: 256, shared: true })
            new Uint8Array(memory.buffer).fill(i + 1)
            return memory
        })""",
    "WebAssembly memory": """
        await each(4, (i) => {
            const memory = new WebAssembly.Memory({ initial: 16384 })
            new Uint8Array(memory.buffer).fill(i + 1)
            return memory
        })""",
    "strings": """
        await each(200, (i) => new TextDecoder('utf-16le').decode(new Uint16Array(8 << 20).fill(0x4e00 + i)))""",
    "structured clones": "const one = filled(32, 1); await each(100, () => structuredClone(one))",
    "workers": "await each(40, () => new Worker(script(hog(96))))",
    "workers at once": "for (let i = 0; i < 12; i++) kept.push(new Worker(script(hog(400))))",
    "shared worker": "kept.push(new SharedWorker('/hog.js'))",
    "service worker": "await navigator.serviceWorker.register('/hog.js')",
    "frames": "for (let i = 0; i < 300; i++) add('iframe', { src: '/frame?' + i })",
    "frames of another site": "for (let i = 0; i < 300; i++) add('iframe', { src: `//${OTHER}/frame?${i}` })",
    "audio": """
        await each(100, (i) => {
            const sound = new AudioBuffer({ length: 4 << 20, sampleRate: 44100, numberOfChannels: 2 })
            for (const channel of [0, 1]) sound.getChannelData(channel).fill(i)
            return sound
        })""",
    "fonts": """
        const data = await (await fetch('/font')).arrayBuffer()
        await each(150, async (i) => {
            const face = await new FontFace('f' + i, data.slice()).load()
            document.fonts.add(face)
            return face
        })""",
    "fetched bodies": "await each(40, async (i) => (await fetch('/bomb?' + i)).arrayBuffer())",
    "fetched blobs": "await each(40, async (i) => (await fetch('/bomb?' + i)).blob())",
    "network bodies": "await each(40, async (i) => { await (await fetch('/bomb?' + i)).text() })",
}
# The document and its drawing.
DOCUMENTS = {
    "elements": """
        for (let i = 0; i < 400; i++) {
            add('div', { innerHTML: '<b class=c><i>text</i></b>'.repeat(10000) }); await pause() }""",
    "text": "for (let i = 0; i < 60; i++) { add('p').textContent = ('word' + i + ' ').repeat(1 << 20); await pause() }",
    "attributes": "await each(100, (i) => add('p', { title: ('x' + i).repeat(8 << 20) }))",
    "styles": """
        await each(200, (i) => add('style',
            { textContent: Array.from({ length: 50000 }, (_, n) => `.c${i}-${n}{color:red;top:${n}px}`).join('') }))""",
    "canvases": "await each(200, (i) => document.body.appendChild(canvas(2048, i)))",
    "canvases read": """
        const one = canvas(2048, 1).getContext('2d')
        await each(200, () => one.getImageData(0, 0, 2048, 2048))""",
    "large canvas": "await each(4, (i) => document.body.appendChild(canvas(16000, i)))",
    "WebGL": """
        await each(16, (i) => {
            const gl = canvas(64, i) && Object.assign(add('canvas'), { width: 4096, height: 4096 }).getContext('webgl')
            for (let n = 0; n < 8; n++) {
                gl.bindTexture(gl.TEXTURE_2D, gl.createTexture())
                gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 2048, 2048, 0, gl.RGBA, gl.UNSIGNED_BYTE, filled(16, n))
            }
            return gl
        })""",
    "off-screen canvases": """
        const code = `const kept = []; for (let i = 0; i < 40; i++) { const one = new OffscreenCanvas(2048, 2048)
            one.getContext('2d').fillRect(0, 0, 2048, 2048); kept.push(one, one.transferToImageBitmap()) }`
        await each(8, () => new Worker(script(code)))""",
    "image bitmaps": "await each(200, (i) => createImageBitmap(new ImageData(2048, 2048)))",
    "PNG images": "for (let i = 0; i < 80; i++) add('img', { src: '/image/' + i })",
    "images of blobs": """
        await each(60, (i) => new Promise((done) => canvas(3000, i).toBlob((blob) =>
            done(add('img', { src: URL.createObjectURL(blob) })))))""",
    "images in data URLs": """
        const url = 'data:image/png;base64,' + 'A'.repeat(4 << 20)
        setInterval(() => { new Image().src = url }, 10)""",
    "layers": """
        add('style', { textContent: `div { position: absolute; left: 0; top: 0; width: 4000px; height: 4000px;
            will-change: transform; background: repeating-linear-gradient(45deg, red, blue 3px) }` })
        for (let i = 0; i < 400; i++) add('div')""",
    "small layers": """
        add('style', { textContent: `div { float: left; width: 90px; height: 90px; will-change: transform;
            background: repeating-linear-gradient(45deg, red, blue 3px) }` })
        for (let i = 0; i < 30000; i++) add('div')""",
    "filters": """
        add('style', { textContent: `div { position: absolute; inset: 0; height: 8000px; filter: blur(90px);
            backdrop-filter: blur(80px); background: repeating-linear-gradient(45deg, #f008, #00f8 3px) }` })
        for (let i = 0; i < 100; i++) add('div')""",
    "SVG filters": """
        document.body.innerHTML = `<svg width=8000 height=8000><filter id=f x=-2 y=-2 width=5 height=5>
            ${'<feTurbulence baseFrequency=.01 numOctaves=9 /><feGaussianBlur stdDeviation=90 />'.repeat(30)}
            </filter>${'<rect width=8000 height=8000 filter=url(#f) />'.repeat(20)}</svg>`""",
    "view transition": """
        for (let i = 0; i < 150; i++) add('div', { style: `view-transition-name:v${i};position:absolute;width:3000px;
            height:3000px;background:repeating-linear-gradient(${i}deg, red, blue 3px)` })
        document.startViewTransition(() => pause(3000))""",
    "tall page": """
        add('style', { textContent: 'body { margin: 0; width: 6000px } img { display: block; width: 6000px }' })
        for (let i = 0; i < 40; i++) add('img', { src: '/image/' + i })""",
    "title": "document.title = 'x'.repeat(500 << 20); await pause(); document.title = 'y'.repeat(500 << 20)",
    "video frames": """
        await each(200, (i) => new VideoFrame(filled(16, i),
            { format: 'RGBA', codedWidth: 2048, codedHeight: 2048, timestamp: i }))""",
}
# What other processes keep for the page.
STORES = {
    "blobs": "await each(200, (i) => new Blob([filled(16, i)]))",
    "blobs of a busy page": "for (let i = 0; i < 200; i++) kept.push(new Blob([filled(16, i)])); for (;;) {}",
    "blobs of a worker": """
        kept.push(new Worker(script(`const kept = []
            for (let i = 0; i < 200; i++) kept.push(new Blob([new Uint8Array(16 << 20).fill(i + 1)]))`)))""",
    "files": """
        const folder = await navigator.storage.getDirectory()
        await each(200, async (i) => {
            const stream = await (await folder.getFileHandle('file' + i, { create: true })).createWritable()
            await stream.write(filled(16, i))
            await stream.close()
        })""",
    "database": """
        const database = await new Promise((done) => {
            const request = indexedDB.open('kept')
            request.onupgradeneeded = () => request.result.createObjectStore('kept')
            request.onsuccess = () => done(request.result)
        })
        await each(200, (i) => new Promise((done) => {
            const transaction = database.transaction('kept', 'readwrite')
            transaction.objectStore('kept').put(random(8), i)
            transaction.oncomplete = transaction.onabort = done
        }))""",
    "caches": """
        const cache = await caches.open('kept')
        await each(200, (i) => cache.put('/kept' + i, new Response(filled(16, i))))""",
    "local storage": """
        for (let i = 0; i < 4; i++) try {
            localStorage['a' + i] = sessionStorage['a' + i] = 'x'.repeat(2 << 20) } catch {}
        for (;;) { localStorage.a0 = String(Math.random()).repeat(1 << 17); await pause() }""",
    "transferred buffers": """
        const worker = new Worker(script('for (;;) {}'))
        await each(200, (i) => { const data = filled(16, i); worker.postMessage(data, [data.buffer]) })""",
    "message channel": """
        const { port1, port2 } = new MessageChannel()
        kept.push(port2)
        await each(200, (i) => port1.postMessage(filled(16, i)))""",
    "broadcast channel": """
        kept.push(new Worker(script(
            "const channel = new BroadcastChannel('c'); channel.onmessage = () => { for (;;) {} }")))
        const channel = new BroadcastChannel('c')
        await pause(300)
        await each(200, (i) => channel.postMessage(filled(16, i)))""",
    "messages to a busy worker": """
        kept.push(new SharedWorker(script("onconnect = (e) => { e.ports[0].onmessage = () => { for (;;) {} } }")))
        await each(200, (i) => kept[0].port.postMessage(filled(16, i)))""",
    "console": """
        const text = 'x'.repeat(1 << 20)
        setInterval(() => { for (let i = 0; i < 20; i++) console.error(text + i) }, 10)""",
    "console objects": """
        await each(200, (i) => console.log(filled(16, i), { text: 'x'.repeat(1 << 20) }))""",
    "history": """
        for (let i = 0; i < 400; i++) { try { history.pushState(filled(12, i), '', '?' + i) } catch {} await pause(50) }
        """,
    "history replaced": """
        for (let i = 0; ; i++) { try { history.replaceState(filled(60, i), '') } catch {} await pause() }""",
    "hashes": "for (let i = 0; i < 3000; i++) { location.hash = i + 'x'.repeat(1900000); await pause(10) }",
    "uploads": "for (let i = 0; i < 60; i++) fetch('/silent', { method: 'POST', body: filled(48, i) }).catch(() => 0)",
    "web sockets": """
        await each(12, (i) => new Promise((done) => {
            const socket = new WebSocket(`ws://${location.host}/socket`)
            socket.onerror = done
            socket.onopen = () => { for (let n = 0; n < 16; n++) socket.send(filled(16, n)); done(socket) }
        }))""",
}
SCRIPTS = {**HEAPS, **DOCUMENTS, **STORES}
# A document that is too much itself.
DOCUMENT_BOMB = "large document"
# Whose pages are captured at full height.
FULL_PAGE = {"PNG images", "images of blobs", "tall page", "layers", "small layers", "filters", "elements", "text"}
# The hostile pages of an event, by the name of their row. Ordinary pages fill it up.
TABLE: dict[str, tuple[str, ...]] = {
    # What happens to ordinary pages on this machine without any of them.
    "none": (),
    **{kind: (kind,) for kind in (*HEAPS, *DOCUMENTS, DOCUMENT_BOMB, *STORES)},
    "two heaps": ("heap", "heap"),
    "a heap and blobs": ("heap", "blobs"),
    "a heap and layers": ("heap", "layers"),
    "two buffers at once": ("one array buffer", "one array buffer"),
    "two heaps, three pages of images": ("heap", "heap"),
}
# Rows whose ordinary pages have many images, 80 MB in each.
BESIDE_IMAGES = {"two heaps, three pages of images"}


def document(kind: str, other: str) -> str:
    """The page of a kind. `other` is host and port of another site."""
    constants = f"const OTHER = '{other}'"
    return f"<!doctype html><body><script>(async () => {{ {constants}{PRELUDE}\n{SCRIPTS[kind]} }})()</script>"
