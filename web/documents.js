// The documents by time, with progress and time left, and what they are called.
import { byId, loader, make, redraw } from "./dom.js";
import { Draft, onSubmit, openDialog } from "./forms.js";
import { act, changed, queryAll, reader, titleOf } from "./reader.js";
import { count, dateOf, dateWords, dayNumber, duration, percent } from "./words.js";
import { rangeOf, yearsOfReading } from "./year.js";

const section = byId("view-documents");
const range = byId("documents-range");
const dialog = byId("document-dialog");
const form = byId("document-form");
const draft = new Draft(form);
let edited = null;

/** OPENDOCUMENT(id) shows the sessions of a document. */
export function setUpDocuments(openDocument) {
	range.addEventListener("change", () => showList());
	section.addEventListener("click", ({ target }) => {
		const button = target.closest("button[data-document]");
		if (button === null)
			return;
		if (button.classList.contains("rename"))
			rename(button.dataset.document);
		else
			openDocument(button.dataset.document);
	});
	onSubmit(form, async () => {
		const authors = form.elements.authors.value.split("\n").map((line) => line.trim()).filter((line) => line !== "");
		await act("setDocument", { document: edited, title: form.elements.title.value, authors });
		draft.drop();
		dialog.close("saved");
	});
	form.querySelector(".cancel").addEventListener("click", () => {
		draft.drop();
		dialog.close("");
	});
}

async function rename(id) {
	const known = reader.documents.get(id);
	edited = id;
	form.elements.title.value = known?.title ?? "";
	form.elements.authors.value = (known?.authors ?? []).join("\n");
	byId("document-id").textContent = id;
	draft.restore(`${reader.name}:document:${id}`);
	const closed = openDialog(dialog);
	form.elements.title.focus();
	if (await closed === "saved")
		await changed();
}

function rangeFields() {
	if (range.value === "days")
		return { from: dateOf(dayNumber(reader.today) - 29) };
	return range.value === "all" || range.value === "" ? {} : rangeOf(Number(range.value));
}

async function offerRanges() {
	const years = await yearsOfReading();
	const offers = [["all", "all time"], ["days", "the last 30 days"]];
	for (let year = years.last; year >= years.first; year--)
		offers.push([String(year), String(year)]);
	const chosen = offers.some(([value]) => value === range.value) ? range.value : "all";
	range.replaceChildren(...offers.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
}

const showList = loader(section, () => queryAll("_getDocuments", "document", rangeFields()), (documents) => {
	const empty = byId("documents-empty");
	empty.hidden = documents.length > 0;
	empty.textContent = range.value === "all" ? "No document yet. The first one is here as soon as a session of it has ended." : "Nothing was read in that time.";
	const total = documents.reduce((sum, { seconds }) => sum + seconds, 0);
	redraw(byId("document-list"), ...documents.map((document) => itemOf(document, total === 0 ? 0 : document.seconds / total)));
});

export const showDocuments = async () => {
	try {
		await offerRanges();
	} catch {
		// The list says why, as it asks the same service.
	}
	await showList();
};

function itemOf(document, share) {
	const { document: id, authors, seconds, sessions, activeDays, progress, remainingSeconds } = document;
	const name = titleOf(id);
	return make("li", { class: "card document" },
		make("div", { class: "document-name" },
			make("h3", {}, name),
			make("p", { class: "muted" }, authors.length > 0 ? authors.join(", ") : document.title === null ? "no title yet" : "no authors yet")),
		make("div", { class: "document-time" },
			make("p", {}, make("strong", {}, duration(seconds)),
				make("span", { class: "muted" }, ` in ${count(sessions, "session")} on ${count(activeDays, "day")}, ${percent(share)} of the time`)),
			meter("share", share)),
		make("div", { class: "document-progress" }, ...progressOf(progress, remainingSeconds)),
		make("p", { class: "document-when muted" }, whenOf(document)),
		make("p", { class: "buttons" },
			make("button", { type: "button", class: "quiet", "data-document": id, "data-key": `sessions:${id}`, "aria-label": `Sessions of ${name}` }, "Sessions"),
			make("button", { type: "button", class: "quiet rename", "data-document": id, "data-key": `rename:${id}`, "aria-label": `Edit title and authors of ${name}` },
				"Edit title")));
}

function progressOf(progress, remainingSeconds) {
	if (progress === null)
		return [make("p", { class: "muted" }, "Progress not reported")];
	const left = progress >= 1 ? "finished" : remainingSeconds === null ? "time left not known yet" : `about ${duration(remainingSeconds)} left`;
	return [make("p", {}, make("strong", {}, percent(progress)), make("span", { class: "muted" }, ` read, ${left}`)), meter("done", progress)];
}

/** A bar that only repeats what the text beside it says. */
function meter(kind, part) {
	const bar = make("span", { class: "meter-bar" });
	bar.style.setProperty("inline-size", `${Math.min(100, part * 100)}%`);
	return make("span", { class: `meter ${kind}`, "aria-hidden": "true" }, bar);
}

function whenOf({ firstStart, lastEnd }) {
	const [start, end] = [Date.parse(firstStart), Date.parse(lastEnd)];
	const [first, last] = [reader.calendar.dateAt(start), reader.calendar.lastDate(start, end)];
	return first === last ? dateWords(first) : `${dateWords(first)} to ${dateWords(last)}`;
}
