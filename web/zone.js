// The reader's calendar: instants as the wall clock of the reader's time zone shows them, and back. The browser's own zone plays no part.
// A wall time is a number: the milliseconds since 1970-01-01T00:00 that an unbroken clock would have counted to show it.
import { DAY_MS, dateOf, locale } from "./words.js";

export class Calendar {
	constructor(timezone, dayStart) {
		this.timezone = timezone;
		this.dayStart = dayStart;
		this.known = true;
		try {
			this.parts = new Intl.DateTimeFormat("en", {
				timeZone: timezone, calendar: "gregory", hourCycle: "h23", era: "short",
				year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
			});
		} catch {
			// A zone that is newer than this browser.
			this.known = false;
			this.parts = new Calendar("UTC", dayStart).parts;
		}
		const { timeZone } = this.parts.resolvedOptions();
		this.clock = new Intl.DateTimeFormat(locale, { timeZone, hour: "2-digit", minute: "2-digit" });
		this.clockAndDay = new Intl.DateTimeFormat(locale, { timeZone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
		this.offsetName = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
		this.dayStartMs = (Number(dayStart.slice(0, 2)) * 60 + Number(dayStart.slice(3))) * 60_000;
		this.begins = new Map(); // by day
	}

	/** The wall time at an instant. */
	wall(instant) {
		const part = Object.fromEntries(this.parts.formatToParts(instant).map(({ type, value }) => [type, value]));
		const shown = Date.UTC(Number(part.year), Number(part.month) - 1, Number(part.day), Number(part.hour), Number(part.minute), Number(part.second));
		return shown + (instant % 1000 + 1000) % 1000;
	}

	offset(instant) {
		return this.wall(instant) - instant;
	}

	/** The instants at which the clock shows WALL: one, two where clocks are set back over it, none where they skip it. */
	instants(wall) {
		const offsets = new Set([this.offset(wall - 2 * DAY_MS), this.offset(wall + 2 * DAY_MS)]);
		for (const offset of [...offsets])
			offsets.add(this.offset(wall - offset));
		return [...offsets].map((offset) => wall - offset).filter((instant) => this.wall(instant) === wall).sort((a, b) => a - b);
	}

	/** The change of the clock that skips WALL: the wall times just before and after it. */
	gap(wall) {
		let [before, after] = [wall - 2 * DAY_MS, wall + 2 * DAY_MS];
		const skipped = (instant) => this.wall(instant) > wall;
		while (after - before > 1) {
			const middle = Math.floor((before + after) / 2);
			if (skipped(middle))
				after = middle;
			else
				before = middle;
		}
		return { instant: after, from: this.wall(before) + 1, to: this.wall(after) };
	}

	/** When the reading day of a date begins, the days being counted from 1970-01-01: when the clock first shows the day start, or else skips it. Never, of a
	 *  date that the clock skips as a whole. */
	beginOf(day) {
		if (!this.begins.has(day)) {
			const wall = day * DAY_MS + this.dayStartMs;
			const skipped = this.instants(day * DAY_MS).length === 0 && this.gap(day * DAY_MS).to >= (day + 1) * DAY_MS;
			this.begins.set(day, skipped ? Infinity : this.instants(wall)[0] ?? this.gap(wall).instant);
		}
		return this.begins.get(day);
	}

	/** The date of the reading day that holds an instant: the latest that has begun, which may be the next date already where the clock is set back over its
	 *  day start. */
	dateAt(instant) {
		let day = Math.floor(this.wall(instant) / DAY_MS) + 1;
		while (this.beginOf(day) > instant)
			day--;
		return dateOf(day);
	}

	/** The date of the reading day that was the last of what went from START up to END, which belongs to it no more. */
	lastDate(start, end) {
		return this.dateAt(Math.max(start, end - 1));
	}

	/** "18:58", with the date where that is asked for. */
	time(instant) {
		return this.clock.format(instant);
	}

	dayAndTime(instant) {
		return this.clockAndDay.format(instant);
	}

	/** As "GMT+02:00", what the clock is set to at an instant. */
	nameOfOffset(instant) {
		return this.offsetName.formatToParts(instant).find(({ type }) => type === "timeZoneName").value;
	}

	/** An instant as the value of a datetime-local input, and such a value as a wall time. */
	toInput(instant) {
		return wallText(this.wall(instant));
	}
}

/** A wall time as "2025-05-03T18:58:31". */
export function wallText(wall) {
	return new Date(wall).toISOString().slice(0, 19);
}

/** The wall time of a datetime-local input's value, which may lack the seconds. */
export function wallOf(value) {
	return Date.parse(`${value}Z`);
}
