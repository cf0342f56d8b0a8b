// @ts-check
/** Two lists side by side: what is in both, in the same order, stands beside each other. */

/**
 * Pairs in order: of both lists, or with null on one side. The longest common subsequence, where the lists are not too long
 * for it; else what comes next in both.
 * @template T @param {T[]} left @param {T[]} right @param {(one: T) => string} name @returns {[T | null, T | null][]}
 */
export function align(left, right, name) {
  const a = left.map(name);
  const b = right.map(name);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  /** @type {[T | null, T | null][]} */
  const pairs = left.slice(0, head).map((one, at) => [one, right[at]]);
  const [endA, endB] = [a.length - tail, b.length - tail];
  const middle = (endA - head) * (endB - head) <= CELLS_MAX ? longest : nearest;
  let [i, j] = [head, head];
  for (const [x, y] of [...middle(a.slice(head, endA), b.slice(head, endB)), [endA - head, endB - head]]) {
    while (i < head + x) pairs.push([left[i++], null]);
    while (j < head + y) pairs.push([null, right[j++]]);
    if (i < endA && j < endB) pairs.push([left[i++], right[j++]]);
  }
  for (let at = 0; at < tail; at++) pairs.push([left[endA + at], right[endB + at]]);
  return pairs;
}

const CELLS_MAX = 4e6;

/** Places of the longest common subsequence. @param {string[]} a @param {string[]} b @returns {[number, number][]} */
function longest(a, b) {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  /** @type {[number, number][]} */
  const pairs = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i++;
    else j++;
  }
  return pairs;
}

/** Each of `a` with the next of `b` that has its name. @param {string[]} a @param {string[]} b @returns {[number, number][]} */
function nearest(a, b) {
  /** @type {Map<string, number[]>} */
  const places = new Map();
  b.forEach((name, at) => (places.get(name) ?? places.set(name, []).get(name))?.push(at));
  /** @type {[number, number][]} */
  const pairs = [];
  let from = 0;
  a.forEach((name, i) => {
    const queue = places.get(name) ?? [];
    while (queue.length && queue[0] < from) queue.shift();
    // A far one would leave too much of what lies between without a partner.
    if (queue.length && queue[0] - from < 100) {
      pairs.push([i, queue[0]]);
      from = /** @type {number} */ (queue.shift()) + 1;
    }
  });
  return pairs;
}
