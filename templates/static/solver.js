// What a challenge asks for: numbers for which SHA-256 of "text.number" begins with zero bits. Own arithmetic, because
// the browser's is asked one at a time and only on https; in slices, so that the page goes on answering.

const SLICE = 12; // milliseconds of work, then the page has its turn
const root = (x) => ((x % 1) * 2 ** 32) | 0;
const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
const FIRST = primes.slice(0, 8).map((prime) => root(prime ** 0.5));
const ADDED = Int32Array.from(primes, (prime) => root(prime ** (1 / 3)));
const w = new Int32Array(64);
const turn = (x, by) => (x >>> by) | (x << (32 - by));

/** The first 32 bits of SHA-256 of a text of at most 55 signs (ASCII). */
function hash(text) {
  w.fill(0, 0, 16);
  for (let i = 0; i < text.length; i++) w[i >> 2] |= text.charCodeAt(i) << (24 - 8 * (i & 3));
  w[text.length >> 2] |= 128 << (24 - 8 * (text.length & 3));
  w[15] = text.length * 8;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = FIRST;
  for (let i = 0; i < 64; i++) {
    const t = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ADDED[i] + w[i]) | 0;
    const u = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
  }
  return (a + FIRST[0]) >>> 0;
}

/** `count` numbers, joined by dots, each with `bits` leading zero bits. */
export async function solve(text, bits, count) {
  const found = [];
  for (let number = 0; ; ) {
    for (const end = performance.now() + SLICE; performance.now() < end; ) {
      for (let i = 0; i < 64; i++, number++) {
        if (hash(`${text}.${number}`) < 2 ** (32 - bits)) found.push(number);
        if (found.length === count) return found.join(".");
      }
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}
