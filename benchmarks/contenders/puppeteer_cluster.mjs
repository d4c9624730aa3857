// puppeteer-cluster on puppeteer-core, with a context per screenshot.
import { writeFileSync } from 'node:fs';
import readline from 'node:readline';
import { Cluster } from 'puppeteer-cluster';
import puppeteer from 'puppeteer-core';

const WIDTH = 1280, HEIGHT = 800;
const line = await new Promise(done => readline.createInterface({ input: process.stdin }).once('line', done));
const job = JSON.parse(line);
const isFullPage = url => new URL(url).pathname === '/tall' || new URL(url).search === '?full';

const cluster = await Cluster.launch({
  puppeteer,
  concurrency: Cluster.CONCURRENCY_CONTEXT,
  maxConcurrency: job.tabs,
  timeout: 60000,
  puppeteerOptions: {
    executablePath: job.chromium,
    headless: 'shell',
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
    defaultViewport: { width: WIDTH, height: HEIGHT },
  },
});
cluster.on('taskerror', error => { console.error(error); process.exit(1); });
await cluster.task(async ({ page, data: url }) => {
  const started = performance.now();
  let image = new Uint8Array();
  if (job.folder === undefined) {
    await page.goto(url, { waitUntil: 'load' });
    image = await page.screenshot({ fullPage: isFullPage(url) });
  } else {
    // A page that is never idle has no picture.
    try {
      await page.goto(url, { waitUntil: 'networkidle0', timeout: job.timeout_ms });
      image = await page.screenshot({ fullPage: isFullPage(url) });
      writeFileSync(`${job.folder}/${job.urls.indexOf(url)}.png`, image);
    } catch {}
  }
  const report = { url, ms: Math.round(performance.now() - started), bytes: image.length, fullPage: isFullPage(url) };
  process.stdout.write(JSON.stringify(report) + '\n');
});
for (const url of job.urls) cluster.queue(url);
await cluster.idle();
await cluster.close();
process.exit(0);
