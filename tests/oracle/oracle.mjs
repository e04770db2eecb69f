// What the service must answer, computed a second time: straight from the rules, without any thought of speed, and with wall clocks by Intl.
//
// Standard input and output are lines of JSON. The first input is {from, to, zones: [...], system: {zone: table}}; the answer to it is
// {zone: table by Intl}. Each further one is a job, {dayStart, weekStart, goalSeconds, sessions, documents, reports, queries}: its answer is an array with
// the text of each query's answer. A query is {query, fields, now, zone, table: "intl" or "system"}.

import {createInterface} from "node:readline";
import {DAY_MS, HOUR_MS, Calendar, tableByIntl} from "./wall.mjs";

const tables = {intl: {}, system: {}};

const seconds = (ms) => Math.floor((2 * ms + 1000) / 2000);
const instant = (ms) => ms === null ? null : new Date(ms).toISOString();
const date = (day) => day === null ? null : new Date(day * DAY_MS).toISOString().slice(0, 10);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const length = ({start, end}) => end - start;

// What falls into the range of a filter, cut at it, in the order of start and id.
function select(job, calendar, {from, to, document, library}) {
	const bound = (text, open) => text === undefined ? open
		: text.includes("T") ? Date.parse(text) : calendar.start(Date.parse(text + "T00:00Z") / DAY_MS);
	const low = bound(from, -Infinity);
	const high = bound(to, Infinity);
	return job.sessions
		.filter((session) => (document === undefined || session.document === document) && (library === undefined || session.library === library))
		.filter(({start, end}) => start === end ? low <= start && start < high : Math.max(start, low) < Math.min(end, high))
		.sort((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1))
		.map((session) => ({...session, start: Math.max(session.start, low), end: Math.min(session.end, high)}));
}

function union(pieces) {
	const made = [];
	for (const {start, end} of pieces.filter(length).sort((a, b) => a.start - b.start)) {
		if (made.length > 0 && start <= made.at(-1).end) {
			made.at(-1).end = Math.max(made.at(-1).end, end);
		} else {
			made.push({start, end});
		}
	}
	return made;
}

// day -> ms of some pieces
function byDay(calendar, pieces) {
	const days = new Map();
	for (let {start, end} of pieces) {
		while (start < end) {
			const day = calendar.dayOf(start);
			const until = Math.min(end, calendar.start(calendar.next(day)));
			days.set(day, (days.get(day) ?? 0) + until - start);
			start = until;
		}
	}
	return days;
}

function summary(job, calendar, fields) {
	const pieces = select(job, calendar, fields);
	const ms = sum(union(pieces).map(length));
	const raw = sum(pieces.map(length));
	const days = byDay(calendar, union(pieces)).size;
	return [{summary: {
		seconds: seconds(ms),
		rawSeconds: seconds(raw),
		sessions: pieces.length,
		documents: new Set(pieces.map(({document}) => document)).size,
		activeDays: days,
		averageSessionSeconds: pieces.length ? Math.floor((2 * raw + 1000 * pieces.length) / (2000 * pieces.length)) : 0,
		averageActiveDaySeconds: days ? Math.floor((2 * ms + 1000 * days) / (2000 * days)) : 0,
		longestSessionSeconds: seconds(Math.max(0, ...pieces.map(length))),
		firstStart: instant(pieces.length ? Math.min(...pieces.map(({start}) => start)) : null),
		lastEnd: instant(pieces.length ? Math.max(...pieces.map(({end}) => end)) : null),
	}}];
}

function periods(job, calendar, fields) {
	const pieces = select(job, calendar, fields);
	const found = new Map();
	const at = (number) => found.get(number) ?? found.set(number, {ms: 0, sessions: new Set(), documents: new Set()}).get(number);
	for (const [day, ms] of byDay(calendar, union(pieces))) {
		at(calendar.period(fields.unit, day)).ms += ms;
	}
	for (const piece of pieces) {
		for (const day of byDay(calendar, [piece]).keys()) {
			at(calendar.period(fields.unit, day)).sessions.add(piece.id);
			at(calendar.period(fields.unit, day)).documents.add(piece.document);
		}
	}
	const numbers = [...found.keys()].sort((a, b) => a - b);
	if (fields.fill && numbers.length > 0) {
		for (let number = numbers[0]; number < numbers.at(-1); number = calendar.nextPeriod(fields.unit, number)) {
			at(number);
		}
	}
	return [...found.keys()].sort((a, b) => a - b).map((number) => {
		const first = calendar.firstDay(fields.unit, number);
		const {ms, sessions, documents} = found.get(number);
		return {period: {
			start: instant(calendar.start(first)),
			end: instant(calendar.start(calendar.firstDay(fields.unit, calendar.nextPeriod(fields.unit, number)))),
			label: date(first).slice(0, {day: 10, week: 10, month: 7, year: 4}[fields.unit]),
			seconds: seconds(ms),
			sessions: sessions.size,
			documents: documents.size,
		}};
	});
}

function hours(job, calendar, fields) {
	const ms = new Array(168).fill(0);
	for (let {start, end} of union(select(job, calendar, fields))) {
		while (start < end) {
			const segment = calendar.segmentAt(start);
			const wall = start + segment.offset;
			const until = Math.min(end, segment.to, (Math.floor(wall / HOUR_MS) + 1) * HOUR_MS - segment.offset);
			ms[((new Date(wall).getUTCDay() || 7) - 1) * 24 + new Date(wall).getUTCHours()] += until - start;
			start = until;
		}
	}
	return ms.map((value, index) => ({hour: {weekday: Math.floor(index / 24) + 1, hour: index % 24, seconds: seconds(value)}}));
}

// The report that came last, of the sessions of a filter but for its range.
function latest(job, document, {library}) {
	return job.reports.filter((report) => report.document === document && (library === undefined || report.library === library))
		.sort((a, b) => a.at - b.at).at(-1)?.progress ?? null;
}

// Not rounded: it is a quotient of floating numbers, and whether it is a half depends on the order in which they are added.
function remaining(pieces, progress) {
	const reported = pieces.filter((piece) => piece.progress !== null);
	let [ms, delta] = [0, 0];
	for (let index = 1; index < reported.length; index++) {
		const step = reported[index].progress - reported[index - 1].progress;
		if (step > 0) {
			ms += length(reported[index]);
			delta += step;
		}
	}
	if (progress === 1) {
		return 0;
	}
	return delta === 0 || progress === null ? null : ms / delta * (1 - progress) / 1000;
}

function documents(job, calendar, fields) {
	const pieces = select(job, calendar, fields);
	return [...new Set(pieces.map(({document}) => document))].map((document) => {
		const own = pieces.filter((piece) => piece.document === document);
		const known = {title: null, authors: [], ...job.documents[document]};
		const progress = latest(job, document, fields);
		const ms = sum(union(own).map(length));
		return [ms, {document: {
			document,
			title: known.title,
			authors: known.authors,
			seconds: seconds(ms),
			sessions: own.length,
			activeDays: byDay(calendar, union(own)).size,
			firstStart: instant(Math.min(...own.map(({start}) => start))),
			lastEnd: instant(Math.max(...own.map(({end}) => end))),
			progress,
			remainingSeconds: remaining(own, progress),
		}}];
	}).sort(([a, one], [b, other]) => b - a || Buffer.compare(Buffer.from(one.document.document), Buffer.from(other.document.document)))
		.map(([, element]) => element);
}

// The streaks of the days that count.
function runs(calendar, days, now) {
	const counts = new Set(days);
	let [longest, from, to] = [0, null, null];
	let run = 0;
	let begin = null;
	for (const day of days.sort((a, b) => a - b)) {
		const goesOn = counts.has(calendar.previous(day));
		run = goesOn ? run + 1 : 1;
		begin = goesOn ? begin : day;
		if (run > longest) {
			[longest, from, to] = [run, begin, day];
		}
	}
	const today = calendar.dayOf(now);
	let current = 0;
	for (let day = counts.has(today) ? today : calendar.previous(today); counts.has(day); day = calendar.previous(day)) {
		current++;
	}
	return {current, longest, from, to, today};
}

function streaks(job, calendar, fields, now) {
	const days = [...byDay(calendar, union(select(job, calendar, fields)))].filter(([, ms]) => ms > 0 && ms >= (fields.minSeconds ?? 0) * 1000);
	const {current, longest, from, to, today} = runs(calendar, days.map(([day]) => day), now);
	return [{streak: {
		currentDays: current, longestDays: longest, longestStart: date(from), longestEnd: date(to),
		readToday: days.some(([day]) => day === today),
	}}];
}

function goal(job, calendar, fields, now) {
	const days = byDay(calendar, union(select(job, calendar, {})));
	const wanted = job.goalSeconds;
	const reached = wanted === 0 ? [] : [...days].filter(([, ms]) => ms >= wanted * 1000).map(([day]) => day);
	const {current, today} = runs(calendar, reached, now);
	return [{goal: {
		date: date(today), goalSeconds: wanted, seconds: seconds(days.get(today) ?? 0), reached: reached.includes(today),
		daysReached: reached.length, currentDays: current,
	}}];
}

const queries = {
	_getSummary: summary, _getPeriods: periods, _getHours: hours, _getDocuments: documents, _getStreaks: streaks, _getGoal: goal,
};

function answer(job) {
	const calendars = {};
	return job.queries.map(({query, fields, now, zone, table}) => {
		const calendar = calendars[table + zone] ??= new Calendar(tables[table][zone], job.dayStart, job.weekStart);
		return JSON.stringify(queries[query](job, calendar, fields, now));
	});
}

for await (const line of createInterface({input: process.stdin})) {
	const input = JSON.parse(line);
	if (input.zones) {
		tables.system = input.system;
		for (const zone of input.zones) {
			tables.intl[zone] = tableByIntl(zone, input.from, input.to);
		}
		console.log(JSON.stringify(tables.intl));
	} else {
		console.log(JSON.stringify(answer(input)));
	}
}
