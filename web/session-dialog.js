// The dialogs about one session: add one of the past, edit one, end one that runs at an earlier time, delete one.
//
// Times are typed as the reader's wall clock shows them. Where clocks change, a time may not exist, which is said, or come twice, which is asked.
import { post, Refusal } from "./api.js";
import { byId, make } from "./dom.js";
import { Draft, fetchKept, keep, onSubmit, openDialog, valueOf } from "./forms.js";
import { act, documentNamed, nameOf, reader, titleOf } from "./reader.js";
import { newId } from "./uuid.js";
import { wallOf, wallText } from "./zone.js";

/** A datetime-local input with the question which of two equal times is meant. */
class TimeField {
	constructor(form, name, question) {
		this.form = form;
		this.name = name;
		this.input = form.elements.namedItem(name);
		this.question = question;
		this.original = null;
		this.input.addEventListener("input", () => this.ask());
	}

	/** Shows INSTANT, or nothing where it is null. */
	set(instant) {
		this.original = instant;
		this.input.value = instant === null ? "" : wallText(reader.calendar.wall(instant));
		this.ask();
	}

	instants() {
		return this.input.value === "" ? [] : reader.calendar.instants(wallOf(this.input.value));
	}

	/** Shows the question where the time comes twice. An instant that stood there before answers it. */
	ask() {
		const instants = this.instants();
		const before = this.original === null ? -1 : instants.findIndex((instant) => Math.abs(instant - this.original) < 1000);
		this.question.hidden = instants.length < 2;
		this.question.replaceChildren();
		if (instants.length < 2)
			return;
		this.question.append(make("legend", {}, "Clocks were set back that day, and show this time twice. Which one is it?"),
			...instants.map((instant, index) => make("span", { class: "choice" },
				make("input", {
					type: "radio", name: `${this.name}-which`, id: `${this.input.id}-${index}`, value: index, checked: index === Math.max(0, before),
				}),
				make("label", { for: `${this.input.id}-${index}` }, `the ${index === 0 ? "first" : "second"}, ${reader.calendar.nameOfOffset(instant)}`))));
	}

	/** The instant that is meant, as the API takes it, or null where it is what it was. */
	value() {
		const text = valueOf(this.form, this.name);
		const instants = this.instants();
		if (instants.length === 0) {
			const { from, to } = reader.calendar.gap(wallOf(text));
			throw new Refusal(`this time does not exist in ${reader.calendar.timezone}: that day the clocks went from ${clockText(from)} to ${clockText(to)}`,
				0, this.name);
		}
		const which = this.question.querySelector("input:checked")?.value ?? 0;
		const instant = instants[which];
		// What is not changed keeps its milliseconds, which the input does not show.
		return this.original !== null && Math.abs(instant - this.original) < 1000 ? null : new Date(instant).toISOString();
	}
}

const clockText = (wall) => wallText(wall).slice(11, 16);

const dialog = byId("session-dialog");
const form = byId("session-form");
const draft = new Draft(form);
const start = new TimeField(form, "startTime", byId("session-start-twice"));
const end = new TimeField(form, "endTime", byId("session-end-twice"));
let save = null;

const deletion = byId("delete-dialog");
let remove = null;

export function setUpSessionDialogs() {
	onSubmit(form, () => save());
	onSubmit(byId("delete-form"), () => remove());
	for (const closing of [dialog, deletion])
		closing.querySelector(".cancel").addEventListener("click", () => {
			if (closing === dialog)
				draft.drop();
			closing.close("");
		});
}

/** Opens the dialog with the fields in SHOWN; saves with WORK(). True once it was saved. Escape keeps what was typed for the next time, Cancel does not. */
async function open(name, { title, button, shown, focus, work }) {
	byId("session-title").textContent = title;
	byId("session-save").textContent = button;
	byId("session-zone").textContent = `Times are those of ${reader.calendar.timezone}.`;
	for (const field of ["document", "library", "start", "end"])
		byId(`session-${field}-field`).hidden = !shown.includes(field);
	draft.restore(`${reader.name}:${name}`);
	save = async () => {
		await work();
		draft.drop();
		dialog.close("saved");
	};
	const closed = openDialog(dialog);
	focus.focus();
	return await closed === "saved";
}

export function addSession() {
	form.reset();
	start.set(null);
	end.set(null);
	form.elements.library.value = [...reader.libraries].at(-1) ?? "";
	return open("add", {
		title: "Add a past session", button: "Add the session", shown: ["document", "library", "start", "end"], focus: form.elements.document,
		work: async () => {
			const fields = { document: documentNamed(valueOf(form, "document")), library: valueOf(form, "library"), startTime: start.value(), endTime: end.value() };
			checkOrder(fields.startTime, fields.endTime);
			// The id stays the same until the answer came: a second try adds nothing twice.
			const key = `focusstats-add:${reader.name}:${JSON.stringify(fields)}`;
			const focusSession = fetchKept(key) ?? newId();
			keep(key, focusSession);
			await act("addSession", { ...fields, focusSession });
			keep(key, null);
			reader.libraries.add(fields.library);
		},
	});
}

export function editSession(session) {
	form.reset();
	const name = nameOf(session.document);
	form.elements.document.value = name;
	start.set(Date.parse(session.startTime));
	end.set(session.endTime === null ? null : Date.parse(session.endTime));
	const shown = session.endTime === null ? ["document", "start"] : ["document", "start", "end"];
	return open(`edit:${session._id}`, {
		title: "Edit this session", button: "Save", shown, focus: form.elements.document,
		work: async () => {
			const fields = {};
			const typed = valueOf(form, "document");
			if (typed !== name && documentNamed(typed) !== session.document)
				fields.document = documentNamed(typed);
			for (const [name, field] of [["startTime", start], ["endTime", end]]) {
				const instant = shown.includes(name.slice(0, -4)) ? field.value() : null;
				if (instant !== null)
					fields[name] = instant;
			}
			if (shown.includes("end"))
				checkOrder(fields.startTime ?? session.startTime, fields.endTime ?? session.endTime);
			if (Object.keys(fields).length > 0)
				await post("editSession", { focusSession: session._id, ...fields });
		},
	});
}

function checkOrder(startTime, endTime) {
	if (Date.parse(endTime) < Date.parse(startTime))
		throw new Refusal("this is before the start", 0, "endTime");
}

/** Ends a session that runs, by STOP(endTime), at a time that is asked for, and is NOW at first. */
export function endEarlier({ _id, title, now, stop }) {
	form.reset();
	end.set(now);
	return open(`end:${_id}`, {
		title: `When did you stop reading ${title}?`, button: "Stop it then", shown: ["end"], focus: form.elements.endTime,
		work: async () => {
			end.original = null;
			await stop(end.value());
		},
	});
}

/** Asks, and deletes where the answer is yes: true then. */
export async function deleteSession(session, words) {
	byId("delete-text").textContent = `${titleOf(session.document)}, ${words}. It goes from every statistic, for good.`;
	remove = async () => {
		await post("removeSession", { focusSession: session._id });
		deletion.close("deleted");
	};
	const closed = openDialog(deletion);
	deletion.querySelector(".cancel").focus();
	return await closed === "deleted";
}
