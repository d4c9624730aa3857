// Compares pairs of PNG files with pixelmatch: they come as JSON on standard input, and each gets a line of JSON.
import { readFileSync } from 'node:fs';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';

for (const { before, after, threshold, ignore, rounds } of JSON.parse(readFileSync(0))) {
  const times = [], decodings = [];
  let result = null;
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    const [first, second] = [before, after].map(path => PNG.sync.read(readFileSync(path)));
    const decoded = performance.now();
    const { width, height } = first;
    const mask = ignore && new Uint8Array(width * height);
    if (ignore) {
      const [left, top, right, bottom] = ignore;
      for (let y = top; y < bottom; y++) mask.fill(1, y * width + left, y * width + right);
    }
    try {
      result = pixelmatch(first.data, second.data, null, width, height, { threshold, ignoreMask: mask ?? undefined });
    } catch (error) {
      result = error.message;
    }
    decodings.push(decoded - begin);
    times.push(performance.now() - begin);
  }
  const median = values => values.sort((one, other) => one - other)[values.length >> 1];
  console.log(JSON.stringify({ result, ms: median(times), decodeMs: median(decodings) }));
}
