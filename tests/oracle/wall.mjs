// What a zone's wall clock shows, by Intl.DateTimeFormat alone, as a table of instants from which an offset holds; and reading days made of it.
//
// An offset is what has to be added to an instant to get the wall clock, in ms; a day is a number of days since 1970-01-01.

export const DAY_MS = 86400000;
export const HOUR_MS = 3600000;
const STEP_MS = DAY_MS; // no zone has two changes within a day

// The offset at an instant of whole seconds.
function offsetByIntl(format, ms) {
	const parts = {};
	for (const {type, value} of format.formatToParts(ms)) {
		parts[type] = Number(value);
	}
	return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - ms;
}

// [[from_ms, offset_ms], ...] between two instants; the first row is as of FROM.
export function tableByIntl(name, from, to) {
	const format = new Intl.DateTimeFormat("en-US", {
		timeZone: name, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23",
		year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
	});
	const table = [[from, offsetByIntl(format, from)]];
	for (let before = from; before < to; before += STEP_MS) {
		const offset = offsetByIntl(format, before + STEP_MS);
		if (offset === table.at(-1)[1]) {
			continue;
		}
		let [low, high] = [before / 1000, (before + STEP_MS) / 1000];
		while (high - low > 1) {
			const middle = Math.floor((low + high) / 2);
			if (offsetByIntl(format, middle * 1000) === table.at(-1)[1]) {
				low = middle;
			} else {
				high = middle;
			}
		}
		table.push([high * 1000, offset]);
	}
	return table;
}

// The reading days of a zone and a day start.
export class Calendar {
	constructor(table, dayStartMinutes, weekStart) {
		this.segments = table.map(([from, offset], index) => ({
			from: index === 0 ? -Infinity : from, to: index + 1 < table.length ? table[index + 1][0] : Infinity, offset,
		}));
		this.dayStartMs = dayStartMinutes * 60000;
		this.weekStart = weekStart;
		this.starts = new Map();
	}

	segmentAt(ms) {
		return this.segments.find((segment) => ms < segment.to);
	}

	// Whether the wall clock ever shows the date.
	exists(day) {
		return this.segments.some(({from, to, offset}) => from + offset < (day + 1) * DAY_MS && to + offset > day * DAY_MS);
	}

	// The first instant at which the wall clock shows the day's start, or the first one after the gap that swallowed it. The start of a date that
	// does not exist is that of the next one.
	start(day) {
		if (!this.starts.has(day)) {
			this.starts.set(day, this.exists(day) ? this.firstAt(day * DAY_MS + this.dayStartMs) : this.start(day + 1));
		}
		return this.starts.get(day);
	}

	firstAt(wall) {
		for (const {from, to, offset} of this.segments) {
			if (wall - offset < to) {
				return Math.max(from, wall - offset);
			}
		}
		throw new Error("beyond the table");
	}

	next(day) {
		do {
			day++;
		} while (!this.exists(day));
		return day;
	}

	previous(day) {
		do {
			day--;
		} while (!this.exists(day));
		return day;
	}

	dayOf(ms) {
		let day = Math.floor((ms + this.segmentAt(ms).offset) / DAY_MS) + 2;
		while (!this.exists(day) || this.start(day) > ms) {
			day--;
		}
		return day;
	}

	// The number of the period that a day is in: for days and weeks the day, or the first date of the week, itself.
	period(unit, day) {
		const date = new Date(day * DAY_MS);
		switch (unit) {
		case "day": return day;
		case "week": return day - ((date.getUTCDay() || 7) - this.weekStart + 7) % 7;
		case "month": return date.getUTCFullYear() * 12 + date.getUTCMonth();
		case "year": return date.getUTCFullYear();
		}
		throw new Error(unit);
	}

	// The first reading day of a period.
	firstDay(unit, number) {
		const date = {
			day: () => number,
			week: () => number,
			month: () => Date.UTC(Math.floor(number / 12), number % 12) / DAY_MS,
			year: () => Date.UTC(number, 0) / DAY_MS,
		}[unit]();
		return this.exists(date) ? date : this.next(date);
	}

	nextPeriod(unit, number) {
		return unit === "day" ? this.next(number) : unit === "week" ? number + 7 : number + 1;
	}
}
