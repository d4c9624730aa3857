"""Pages made with real libraries, as their own documentation shows them. Each is right where it is green."""

from __future__ import annotations

import json

from tests.corpus.page import FULL, IMAGE, SPACE, Page

GREEN = "#00aa00"


def script(*paths: str) -> str:
    return "".join(f"<script src='/lib/{path}'></script>" for path in paths)


def style(*paths: str) -> str:
    return "".join(f"<link rel=stylesheet href='/lib/{path}'>" for path in paths)


def aos(once: str) -> Page:
    blocks = "<div style='height:900px'></div><div class='b g' data-aos='fade-up'></div>" * 3
    return Page(
        f"{blocks}{script('aos/dist/aos.js')}<script>AOS.init({{once: {once}, duration: 600}})</script>",
        # Each block is where it belongs, and not where its way begins, which is 100 pixels lower.
        green=tuple((640, top + inside) for top in (900, 2000, 3100) for inside in (3, 197)),
        other=tuple((640, top - 3) for top in (900, 2000, 3100)),
        options=FULL,
        head=style("aos/dist/aos.css"),
    )


MODULES = json.dumps(
    {
        "imports": {
            "lit": "/lib/lit/index.js",
            "lit/": "/lib/lit/",
            "lit-html": "/lib/lit-html/lit-html.js",
            "lit-html/": "/lib/lit-html/",
            "lit-element": "/lib/lit-element/index.js",
            "lit-element/": "/lib/lit-element/",
            "@lit/reactive-element": "/lib/@lit/reactive-element/reactive-element.js",
            "@lit/reactive-element/": "/lib/@lit/reactive-element/",
        }
    }
)

# Below built/, each with its source.
BUILT_PAGES = {
    "react": Page("", green=((640, 100), (640, 500))),
    "vue": Page("", green=((100, 100), (1200, 500))),
}

LIBRARIES: dict[str, Page] = {
    "lazysizes": Page(
        f"{SPACE.replace('3000', '1500')}<img class='b lazyload' data-src='{IMAGE}'>" * 3
        + script("lazysizes/lazysizes.min.js"),
        green=((640, 1600), (640, 3300), (640, 5000)),
        options=FULL,
    ),
    "aos-once": aos("true"),
    "aos-both-ways": aos("false"),
    "swiper": Page(
        "<div class=swiper style='height:300px'><div class=swiper-wrapper><div class='swiper-slide g'></div>"
        "<div class='swiper-slide r'></div></div></div>"
        + script("swiper/swiper-bundle.min.js")
        + "<script>new Swiper('.swiper', {autoplay: {delay: 8000}, effect: 'fade'})</script>",
        head=style("swiper/swiper-bundle.min.css"),
    ),
    "chart.js": Page(
        "<div style='width:1280px;height:400px'><canvas id=c></canvas></div>"
        + script("chart.js/dist/chart.umd.min.js")
        + "<script>new Chart(c, {type: 'bar', data: {labels: ['a'], datasets: [{data: [10], backgroundColor: '#00aa00',"
        "barPercentage: 1, categoryPercentage: 1}]}, options: {maintainAspectRatio: false, scales: {y: {max: 10}},"
        "plugins: {legend: {display: false}}}})</script>",
        green=((640, 30), (640, 300)),
    ),
    "echarts": Page(
        "<div id=c style='width:1280px;height:400px'></div>"
        + script("echarts/dist/echarts.min.js")
        + "<script>echarts.init(c).setOption({animationDuration: 1500, xAxis: {data: ['a']}, yAxis: {max: 10},"
        "series: [{type: 'bar', data: [10], barWidth: '90%', itemStyle: {color: '#00aa00'}}]})</script>",
        green=((640, 100), (640, 300)),
    ),
    "d3": Page(
        "<svg id=c width=1280 height=200></svg>"
        + script("d3/dist/d3.min.js")
        + "<script>d3.select('#c').append('rect').attr('height', 200).attr('fill', '#00aa00').attr('width', 0)"
        ".transition().delay(200).duration(1500).attr('width', 1280)</script>",
        green=((1270, 100),),
    ),
    "katex": Page(
        "<div id=c style='font-size:40px'></div>"
        + script("katex/dist/katex.min.js")
        + "<script>katex.render('\\\\textcolor{#00aa00}{\\\\rule{20em}{4em}}', c)</script>",
        green=((300, 100),),
        head=style("katex/dist/katex.min.css"),
    ),
    "reveal.js": Page(
        "<div class=reveal><div class=slides><section data-background-color='#00aa00'><p>one</p></section>"
        "<section data-background-color='#ff0000'><p>two</p></section></div></div>"
        "<script type=module>import Reveal from '/lib/reveal.js/dist/reveal.mjs'; Reveal.initialize()</script>",
        green=((100, 100), (1200, 700)),
        head=style("reveal.js/dist/reveal.css", "reveal.js/dist/theme/black.css"),
    ),
    "codemirror": Page(
        "<style>.CodeMirror{height:100vh}.CodeMirror-line .cm-keyword{background:#00aa00;color:transparent}</style>"
        "<textarea id=c></textarea>"
        + script("codemirror/lib/codemirror.js", "codemirror/mode/javascript/javascript.js")
        + "<script>CodeMirror.fromTextArea(c, {mode: 'javascript', lineNumbers: false, autofocus: true,"
        "value: ''}).setValue('const '.repeat(40))</script>",
        green=((12, 12), (60, 12)),
        head=style("codemirror/lib/codemirror.css"),
    ),
    "monaco": Page(
        "<style>.mtk6,.mtk22,.view-line span span[class*=mtk]{background:#00aa00;color:transparent!important}</style>"
        "<div id=c style='width:1280px;height:800px'></div>"
        + script("monaco-editor/min/vs/loader.js")
        + "<script>require.config({paths: {vs: '/lib/monaco-editor/min/vs'}}); require(['vs/editor/editor.main'], () =>"
        "monaco.editor.create(c, {value: 'const '.repeat(40), language: 'javascript', lineNumbers: 'off',"
        "folding: false, minimap: {enabled: false}, fontSize: 30, lineHeight: 40}).focus())</script>",
        green=((60, 20), (200, 20)),
    ),
    "leaflet": Page(
        "<div id=c style='height:500px'></div>"
        + script("leaflet/dist/leaflet.js")
        + f"<script>L.tileLayer('{IMAGE}&x={{x}}&y={{y}}&z={{z}}').addTo(L.map('c', {{zoomControl: false}})"
        ".setView([51.5, -0.1], 12))</script>",
        green=((640, 100), (100, 400), (1200, 300)),
        head=style("leaflet/dist/leaflet.css"),
    ),
    "mermaid": Page(
        "<pre class=mermaid>graph LR\n a[one]-->b[two]\n style a fill:#00aa00\n style b fill:#00aa00</pre>"
        "<div id=x class='b r'></div>"
        + script("mermaid/dist/mermaid.min.js")
        + "<script>mermaid.initialize({startOnLoad: false}); mermaid.run().then(() => {"
        "x.className = document.querySelector('svg rect') ? 'b g' : 'b r'; document.body.prepend(x) })</script>",
    ),
    "plotly": Page(
        "<div id=c style='width:1280px;height:400px'></div>"
        + script("plotly.js-dist-min/plotly.min.js")
        + "<script>Plotly.newPlot(c, [{type: 'bar', x: ['a'], y: [10], marker: {color: '#00aa00'}}],"
        "{yaxis: {range: [0, 10]}, bargap: 0})</script>",
        green=((640, 200), (640, 300)),
    ),
    "react": Page(
        "<div id=root></div>"
        + script("react/umd/react.production.min.js", "react-dom/umd/react-dom.production.min.js")
        + "<script>const App = () => { const [done, setDone] = React.useState(false);"
        "React.useEffect(() => { fetch('/slow?ms=1800').then(() => setDone(true)) }, []);"
        "return React.createElement('div', {className: done ? 'b g' : 'b r'}) };"
        "ReactDOM.createRoot(root).render(React.createElement(App))</script>",
    ),
    "vue": Page(
        "<div id=app><Transition name=fade><div v-if='done' class='b g'></div></Transition></div>"
        + script("vue/dist/vue.global.prod.js")
        + "<script>Vue.createApp({data: () => ({done: false}), mounted() {"
        "setTimeout(() => { this.done = true }, 400) }})"
        ".mount('#app')</script>",
        head="<style>.fade-enter-active{transition:opacity .8s}.fade-enter-from{opacity:0}</style>",
    ),
    "lit": Page(
        "<a-list></a-list><script type=module>import {LitElement, html, css} from 'lit';"
        "customElements.define('a-list', class extends LitElement {"
        "static properties = {rows: {state: true}};"
        "static styles = css`@keyframes in{from{opacity:0}}div{height:200px;background:#00aa00;animation:in 1s}`;"
        "connectedCallback() { super.connectedCallback(); fetch('/slow').then(() => { this.rows = [1, 2, 3] }) }"
        "render() { return (this.rows ?? []).map(() => html`<div></div>`) } })</script>",
        green=((640, 100), (640, 500)),
        head=f"<script type=importmap>{MODULES}</script>",
    ),
}
