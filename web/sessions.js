// The list of sessions, newest first: filter, pages, and what can be done with each.
import { Refusal } from "./api.js";
import { byId, headingOf, loader, make, redraw, tell } from "./dom.js";
import { clearProblems, Draft, onSubmit, showProblem } from "./forms.js";
import { changed, queryAll, reader, titleOf } from "./reader.js";
import { addSession, deleteSession, editSession } from "./session-dialog.js";
import { dateOf, dateWords, dayNumber, duration } from "./words.js";

const PAGE = 20;

const section = byId("view-sessions");
const list = byId("session-list");
const message = byId("sessions-message");
const form = byId("filter");
const draft = new Draft(form);
let filter = {}; // what the list shows; the form may already say something else
let before = []; // the last session of each page before the one that is shown: what `after` takes
let onPage = new Map();

export function setUpSessions() {
	onSubmit(form, () => apply());
	byId("filter-clear").addEventListener("click", () => {
		form.reset();
		draft.drop();
		clearProblems(form);
		apply();
	});
	byId("newer").addEventListener("click", () => turn(before.slice(0, -1)));
	byId("older").addEventListener("click", () => turn([...before, [...onPage.keys()].at(-1)]));
	byId("add").addEventListener("click", async () => {
		tell(message, "");
		if (await addSession())
			await done("Added.");
	});
	list.addEventListener("click", ({ target }) => {
		const button = target.closest("button[data-session]");
		if (button !== null)
			(button.classList.contains("edit") ? edit : remove)(onPage.get(button.dataset.session));
	});
}

/** Shows the list for the reader who is there now, with the filter that was typed before. */
export function showSessions() {
	offerDocuments();
	return showList();
}

export function resetSessions() {
	form.reset();
	offerDocuments();
	draft.restore(`${reader.name}:filter`);
	filter = isBackwards() ? {} : readFilter();
	before = [];
	onPage = new Map();
}

/** Shows only what FIELDS, of the form, name. */
export function filterSessions(fields) {
	form.reset();
	offerDocuments(fields.document);
	for (const [name, value] of Object.entries(fields))
		form.elements[name].value = value;
	draft.save("document", "library", "from", "to");
	filter = readFilter();
	before = [];
}

function offerDocuments(wanted = form.elements.document.value) {
	const ids = new Set(reader.documents.keys());
	if (wanted !== "")
		ids.add(wanted);
	form.elements.document.replaceChildren(make("option", { value: "" }, "all"),
		...[...ids].map((id) => make("option", { value: id }, titleOf(id))));
	form.elements.document.value = wanted;
}

/** The form as fields of the query; its last day is one that is shown, and the query's `to` is not. */
function readFilter() {
	const { document, library, from, to } = Object.fromEntries(new FormData(form));
	return {
		...document && { document }, ...library && { library }, ...from && { from }, ...to && { to: dateOf(dayNumber(to) + 1) },
	};
}

function isBackwards() {
	const { from, to } = form.elements;
	return to.value !== "" && from.value > to.value;
}

function apply() {
	if (isBackwards())
		throw new Refusal("this is after the last day", 0, "from");
	filter = readFilter();
	before = [];
	tell(message, "");
	return showList();
}

/** Goes to the page after the ones that end with the sessions PAGES. A second click of a double one is none. */
async function turn(pages) {
	if (section.getAttribute("aria-busy") === "true")
		return;
	await showList(pages);
	headingOf(list).focus();
}

const load = async (pages = before) => {
	const after = pages.at(-1);
	try {
		return { pages, sessions: await queryAll("_getSessions", "focusSession", { ...filter, order: "desc", limit: PAGE + 1, ...after && { after } }) };
	} catch (error) {
		// Another device has removed the session that this page begins after.
		if (error.field === "after")
			return load([]);
		if (form.elements.namedItem(error.field) !== null && error.field !== undefined && error.field !== "")
			showProblem(form, error);
		throw error;
	}
};

const showList = loader(section, load, ({ pages, sessions }) => {
	before = pages;
	const page = sessions.slice(0, PAGE);
	onPage = new Map(page.map((session) => [session._id, session]));
	for (const session of page)
		reader.libraries.add(session.library);
	const filtered = Object.keys(filter).length > 0;
	const empty = byId("sessions-empty");
	empty.hidden = page.length > 0;
	empty.textContent = filtered ? "No session fits the filter." : "No session yet. Start reading on the overview, or add a session of the past.";
	redraw(list, ...daysOf(page));
	byId("pages").hidden = before.length === 0 && sessions.length <= PAGE;
	byId("page").textContent = `Page ${before.length + 1}`;
	byId("newer").disabled = before.length === 0;
	byId("older").disabled = sessions.length <= PAGE;
});

/** The sessions under the reading days in which they began. */
function daysOf(sessions) {
	const days = [];
	for (const session of sessions) {
		const date = reader.calendar.dateAt(Date.parse(session.startTime));
		if (days.at(-1)?.date !== date)
			days.push({ date, rows: [] });
		days.at(-1).rows.push(rowOf(session, date));
	}
	return days.map(({ date, rows }) => make("section", { class: "card day-sessions", "aria-label": dateWords(date, "full") },
		make("h3", {}, dateWords(date, "full")), make("ul", {}, ...rows)));
}

/** From when to when, below a heading that says DATE, or without one; "29 Apr 2025, 00:30" where a time is not of the date that was said last. */
function spanOf({ startTime, endTime }, date = null) {
	const { calendar } = reader;
	const [start, end] = [startTime, endTime ?? startTime].map((time) => Date.parse(time));
	const [startDate, endDate] = [start, end].map((instant) => calendar.toInput(instant).slice(0, 10));
	const since = startDate === date ? calendar.time(start) : calendar.dayAndTime(start);
	if (endTime === null)
		return `${since} – now`;
	return `${since} – ${endDate === startDate ? calendar.time(end) : calendar.dayAndTime(end)}`;
}

function rowOf(session, date) {
	const { _id, startTime, endTime } = session;
	const name = titleOf(session.document);
	const about = `${name}, ${reader.calendar.dayAndTime(Date.parse(startTime))}`;
	const button = (kind, text) => make("button", {
		type: "button", class: `quiet ${kind}`, "data-session": _id, "data-key": `${kind}:${_id}`, "aria-label": `${text}: ${about}`,
	}, text);
	return make("li", { class: "session" },
		make("span", { class: "session-time" }, spanOf(session, date)),
		make("span", { class: "session-title" }, name, " ", make("small", { class: "muted" }, session.library)),
		make("span", { class: "session-length" }, endTime === null ? "still open" : duration(Math.round((Date.parse(endTime) - Date.parse(startTime)) / 1000))),
		make("span", { class: "buttons" }, button("edit", "Edit"), button("delete", "Delete")));
}

async function edit(session) {
	tell(message, "");
	if (await editSession(session))
		await done("Saved.");
}

async function remove(session) {
	const place = [...onPage.keys()].indexOf(session._id);
	tell(message, "");
	if (!await deleteSession(session, spanOf(session)))
		return;
	await done("Deleted.");
	// Where the row was, there is the next one now.
	const buttons = list.querySelectorAll("button.delete");
	(buttons[Math.min(place, buttons.length - 1)] ?? headingOf(list)).focus();
}

async function done(text) {
	await changed();
	tell(message, text, "good");
}
