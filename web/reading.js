// Reading now: the sessions that run, started here or elsewhere, and the signs of life for those of this page.
//
// A session that was started on this page gets a heartbeat from it for as long as the page is open in this tab, reloads included. When the signs stop, the
// service counts the session as ended at the last one. A session that was started elsewhere gets none from here: the first would make it one that ends by itself.
import { post, Refusal } from "./api.js";
import { byId, headingOf, loader, make, tell, wordsOf } from "./dom.js";
import { Draft, fetchKept, keep, onSubmit, valueOf } from "./forms.js";
import { act, changed, documentNamed, queryAll, reader, titleOf } from "./reader.js";
import { endEarlier } from "./session-dialog.js";
import { newId } from "./uuid.js";
import { duration, stopwatch } from "./words.js";

const OWN = "focusstats-own-sessions";
const REFRESH_MS = 60_000;

const section = byId("now");
const form = byId("start");
const draft = new Draft(form);
const rows = new Map(); // by session id: what is shown of it
let beating = null;

export function setUpReading() {
	onSubmit(form, start);
	setInterval(tick, 1000);
	setInterval(() => reader.calendar !== null && !document.hidden && showActive(), REFRESH_MS);
	document.addEventListener("visibilitychange", () => {
		if (!document.hidden && reader.calendar !== null) {
			beat();
			showActive();
		}
	});
}

/** Nothing is shown or kept alive from now on, until showReading() for whoever reads then. */
export function forgetReading() {
	clearInterval(beating);
	for (const row of rows.values())
		row.element.remove();
	rows.clear();
	form.reset();
}

export function showReading() {
	draft.restore(`${reader.name}:start`);
	explain();
	beat();
	return showActive();
}

function explain() {
	const seconds = reader.settings.idleTimeoutSeconds;
	byId("heartbeat-text").textContent = "While a session that you started here runs, this page tells the service now and then that you are still "
		+ `reading. When it is closed without “Stop”, the session counts as ended at the last of these signs, ${duration(seconds)} after it. `
		+ "Sessions of other apps and tabs are left to them: stop them here or there.";
	clearInterval(beating);
	// Several beats fit into the time-out, so that a lost one does not end the session.
	beating = setInterval(beat, Math.min(60, Math.max(15, seconds / 4)) * 1000);
}

// Starting

/** The id is chosen here and stays the same until the answer came, so that a second try does not start a second session. */
async function start() {
	const fields = { document: documentNamed(valueOf(form, "document")), library: valueOf(form, "library") };
	const key = `focusstats-start:${reader.name}:${JSON.stringify(fields)}`;
	const focusSession = fetchKept(key) ?? newId();
	keep(key, focusSession);
	await act("startSession", { ...fields, focusSession });
	keep(key, null);
	keepOwn([...ownSessions(), focusSession]);
	reader.libraries.add(fields.library);
	form.elements.document.value = "";
	draft.save();
	beat();
	await changed();
	const stop = rows.get(focusSession)?.stop;
	(stop ?? headingOf(section)).focus();
	return `Reading ${titleOf(fields.document)}.`;
}

// Signs of life

function ownSessions() {
	return fetchKept(`${OWN}:${reader.name}`) ?? [];
}

function keepOwn(ids) {
	keep(`${OWN}:${reader.name}`, ids.length > 0 ? ids : null);
}

async function beat() {
	for (const focusSession of ownSessions()) {
		try {
			await post("heartbeat", { focusSession });
			if (section.querySelector(":scope > .message.lost") !== null)
				tell(section, "");
		} catch (error) {
			if (error.status === 404 || error.status === 409) {
				keepOwn(ownSessions().filter((id) => id !== focusSession));
				changed();
			} else {
				tell(section, `${wordsOf(error)} If it stays so, the session ends at its last sign of life.`, "error lost");
			}
		}
	}
}

// The list

const showActive = loader(section, () => queryAll("_getActiveSessions", "focusSession"), (sessions) => {
	const list = byId("active");
	const here = new Set(sessions.map((session) => session._id));
	for (const [id, row] of rows) {
		if (here.has(id))
			continue;
		if (row.element.contains(document.activeElement))
			headingOf(section).focus();
		row.element.remove();
		rows.delete(id);
	}
	for (const session of sessions) {
		let row = rows.get(session._id);
		if (row === undefined) {
			row = rowOf(session);
			rows.set(session._id, row);
			list.append(row.element);
		}
		row.show(session);
	}
	section.classList.toggle("is-reading", sessions.length > 0);
	tick();
});

function tick() {
	for (const row of rows.values())
		row.tick();
}

/** One running session; its parts stay the same elements for as long as it is shown, so that typing is never disturbed. */
function rowOf({ _id, document: documentId, startTime }) {
	const start = Date.parse(startTime);
	let fetched = 0;
	let measured = 0;
	const title = make("strong", { class: "title" });
	const since = make("span", { class: "muted" });
	const badge = make("span", { class: "badge" }, "stale: open for 12 hours without a sign of life");
	const elapsed = make("span", { class: "elapsed", role: "timer", "aria-label": "Time so far" });
	const stop = make("button", { type: "submit", class: "primary" }, "Stop");
	const earlier = make("button", { type: "button", class: "quiet" }, "Stop earlier…");
	const progress = make("input", {
		type: "number", name: "progress", id: `progress-${_id}`, min: 0, max: 100, step: "any", inputmode: "decimal", autocomplete: "off",
	});
	const running = make("form", { class: "running", novalidate: true },
		make("p", { class: "field inline" }, make("label", { for: progress.id }, "Read so far, %"), progress),
		make("p", { class: "buttons" }, stop, earlier),
		make("p", { class: "message", role: "status" }));
	const kept = new Draft(running);
	kept.restore(`${reader.name}:running:${_id}`);
	let words = ""; // what is said once it has ended
	let unanswered = false; // the last attempt got no answer, and may have ended it all the same
	const end = async (fields = {}) => {
		const report = progressOf(progress);
		words = `Stopped reading ${titleOf(documentId)}.`;
		try {
			await post("endSession", { focusSession: _id, ...fields, ...report });
		} catch (error) {
			const before = unanswered;
			unanswered = error.status === 0 || error.status >= 502;
			if (error.status !== 404 && error.status !== 409)
				throw error;
			if (!before)
				words = `Reading ${titleOf(documentId)} had ended already: it was stopped elsewhere, or there was no sign of life for too long.`;
		}
	};
	const ended = async () => {
		kept.drop();
		keepOwn(ownSessions().filter((id) => id !== _id));
		await changed();
		tell(form, words, "good");
	};
	onSubmit(running, async () => {
		await end();
		await ended();
	});
	// By the service's clock: this machine's may be wrong.
	const soFar = () => measured + Math.floor((performance.now() - fetched) / 1000);
	earlier.addEventListener("click", async () => {
		if (await endEarlier({ _id, title: titleOf(documentId), now: start + soFar() * 1000, stop: (endTime) => end({ endTime }) }))
			await ended();
	});

	return {
		element: make("li", {}, make("div", { class: "running-head" }, make("p", {}, title, " ", since, " ", badge), elapsed), running),
		stop,
		show(session) {
			fetched = performance.now();
			measured = session.elapsedSeconds;
			const name = titleOf(documentId);
			title.textContent = name;
			since.textContent = `since ${reader.calendar.dateAt(start) === reader.today ? reader.calendar.time(start) : reader.calendar.dayAndTime(start)}, `
				+ `started ${ownSessions().includes(_id) ? "here" : "elsewhere"}`;
			badge.hidden = !session.stale;
			stop.setAttribute("aria-label", `Stop reading ${name}`);
			earlier.setAttribute("aria-label", `Stop earlier… reading ${name}`);
		},
		tick() {
			elapsed.textContent = stopwatch(soFar());
		},
	};
}

function progressOf(input) {
	const percent = Number(input.value);
	if (input.validity.badInput || percent < 0 || percent > 100)
		throw new Refusal("must be a number from 0 to 100", 0, "progress");
	return input.value === "" ? {} : { progress: percent / 100 };
}
