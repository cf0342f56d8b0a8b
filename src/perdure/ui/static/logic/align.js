// @ts-check
/** Two lists side by side: what is in both, in the same order, stands beside each other. */

/** Of a name that comes often, so many places before and after the expected one are looked at. */
const REACH = 30;

/**
 * The longest common subsequence; what is in one list alone has null beside it.
 * @template T @param {T[]} left @param {T[]} right @param {(one: T) => string} name @returns {[T | null, T | null][]}
 */
export function align(left, right, name) {
  /** @type {[T | null, T | null][]} */
  const pairs = [];
  let [i, j] = [left.length, right.length];
  const back = (toI = 0, toJ = 0) => {
    while (j > toJ) pairs.push([null, right[--j]]);
    while (i > toI) pairs.push([left[--i], null]);
  };
  for (let end = longest(left.map(name), right.map(name)); end; end = end.before) {
    back(end.i + 1, end.j + 1);
    pairs.push([left[--i], right[--j]]);
  }
  back();
  return pairs.reverse();
}

/** The last link of the longest chain of equal names, by the method of Hunt and Szymanski. @param {string[]} a @param {string[]} b */
function longest(a, b) {
  /** @type {Map<string, {met: number, at: number[]}>} */
  const places = new Map(b.map((name) => [name, { met: 0, at: [] }]));
  b.forEach((name, j) => places.get(name)?.at.push(j));
  /** @type {Chain[]} by length: the chain that ends first */
  const ends = [];
  a.forEach((name, i) => {
    const place = places.get(name);
    if (!place) return;
    const met = place.met++;
    for (const j of place.at.slice(Math.max(0, met - REACH), met + REACH).reverse()) {
      let [length, most] = [0, ends.length];
      while (length < most) {
        const middle = (length + most) >> 1;
        if (ends[middle].j < j) length = middle + 1;
        else most = middle;
      }
      if (ends[length]?.j !== j) ends[length] = { i, j, before: ends[length - 1] };
    }
  });
  return ends.at(-1);
}
