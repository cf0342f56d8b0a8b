// @ts-check

// Of a name that comes often so many places are looked at, before and after the expected one.
const REACH = 30;
const LINES_MAX = 2000;

/** Pairs: what is in both in the same order stands side by side, and null beside the rest. */
export function align(left, right, name) {
	const pairs = [];
	let [i, j] = [left.length, right.length];
	const back = (toI, toJ) => {
		while (j > toJ) pairs.push([null, right[--j]]);
		while (i > toI) pairs.push([left[--i], null]);
	};
	for (let end = longest(left.map(name), right.map(name)); end; end = end.before) {
		back(end.i + 1, end.j + 1);
		pairs.push([left[--i], right[--j]]);
	}
	back(0, 0);
	return pairs.reverse();
}

// The longest common subsequence, from its end: Hunt and Szymanski.
function longest(a, b) {
	const places = new Map(b.map((name) => [name, { met: 0, at: [] }]));
	b.forEach((name, j) => places.get(name).at.push(j));
	// Of each length the one that ends first.
	const ends = [];
	a.forEach((name, i) => {
		const place = places.get(name);
		if (!place) return;
		const met = place.met++;
		for (const j of place.at.slice(Math.max(0, met - REACH), met + REACH).reverse()) {
			const length = ends.findLastIndex((end) => end.j < j) + 1;
			if (ends[length]?.j !== j) ends[length] = { i, j, before: ends[length - 1] };
		}
	});
	return ends.at(-1);
}

export function diffLines(before, after) {
	const [left, right] = [before, after].map((text) => (text ? text.split("\n").slice(0, LINES_MAX) : []));
	return align(left, right, (line) => line).map(([one, other]) =>
		({ sign: other === null ? "-" : one === null ? "+" : " ", text: other ?? one }));
}

/** null stands for equal lines far from a change. */
export function shorten(lines, round = 3) {
	const near = lines.map((_, at) =>
		lines.slice(Math.max(0, at - round), at + round + 1).some(({ sign }) => sign !== " "));
	return lines.map((line, at) => near[at] && line).filter((line, at) => line || near[at - 1] !== false);
}
