// Forms: what is typed is kept until it was saved, and what is wrong with it is said beside the field.
import { Refusal } from "./api.js";
import { tell, wordsOf } from "./dom.js";

/** Carries out WORK(form) when FORM is sent, once at a time. What it returns is told below the form; a Refusal of a field is told at the field. */
export function onSubmit(form, work) {
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (form.getAttribute("aria-busy") === "true")
			return;
		form.setAttribute("aria-busy", "true");
		clearProblems(form);
		tell(form, "");
		try {
			tell(form, await work(form) ?? "", "good");
		} catch (error) {
			showProblem(form, error);
		} finally {
			form.removeAttribute("aria-busy");
		}
	});
}

/** Tells ERROR at the field that it is about, or below the form. */
export function showProblem(form, error) {
	const field = error instanceof Refusal && error.field !== "" ? form.elements.namedItem(error.field) : null;
	if (!(field instanceof HTMLElement) || field.offsetParent === null) {
		tell(form, wordsOf(error), "error");
		return;
	}
	const problem = document.createElement("small");
	problem.id = `${field.id}-problem`;
	problem.className = "problem";
	problem.textContent = error.message;
	field.setAttribute("aria-invalid", "true");
	field.setAttribute("aria-describedby", [problem.id, field.getAttribute("aria-describedby")].filter(Boolean).join(" "));
	field.parentElement.append(problem);
	// The field is named once more where the form's other messages are, which is what a screen reader hears of.
	tell(form, `${field.labels[0].textContent}: ${error.message}`, "error unseen");
	field.focus();
	field.addEventListener("input", () => {
		if (!problem.isConnected)
			return;
		clearProblem(form, problem);
		tell(form, "");
	}, { once: true });
}

export function clearProblems(form) {
	for (const problem of form.querySelectorAll(".problem"))
		clearProblem(form, problem);
}

function clearProblem(form, problem) {
	const field = form.querySelector(`[aria-describedby~="${problem.id}"]`);
	const others = field.getAttribute("aria-describedby").split(" ").filter((id) => id !== problem.id);
	field.removeAttribute("aria-invalid");
	if (others.length > 0)
		field.setAttribute("aria-describedby", others.join(" "));
	else
		field.removeAttribute("aria-describedby");
	problem.remove();
}

/** The value of a field, which must not be empty. An id may begin or end with blanks, so nothing is trimmed. */
export function valueOf(form, name) {
	const field = form.elements.namedItem(name);
	if (field.validity.badInput)
		throw new Refusal("this is not complete", 0, name);
	if (field.value === "")
		throw new Refusal("this is missing", 0, name);
	return field.value;
}

/** Keeps what a person changes in FORM for this tab under a name that the caller gives, through refusals and reloads, until drop(). Fields that were not
 *  touched are not kept, so that a draft never brings back what was meanwhile changed elsewhere. */
export class Draft {
	constructor(form) {
		this.form = form;
		this.name = null;
		this.touched = new Set();
		for (const event of ["input", "change"])
			form.addEventListener(event, ({ target }) => this.save(target.name));
	}

	/** From now on the form's draft is NAME's; what was typed for it before is filled in. */
	restore(name) {
		this.name = `focusstats-draft:${name}`;
		const kept = fetchKept(this.name) ?? {};
		this.touched = new Set(Object.keys(kept));
		for (const [field, value] of Object.entries(kept)) {
			const element = this.form.elements.namedItem(field);
			if (element instanceof HTMLInputElement && element.type === "checkbox")
				element.checked = value;
			else if (element !== null)
				element.value = value;
			// A field may have others made for its value, which come after it. This event does not rise to the form.
			if (element instanceof HTMLElement)
				element.dispatchEvent(new Event("input"));
		}
	}

	/** Keeps what the form says now in the fields NAMES and in those that were touched before. */
	save(...names) {
		if (this.name === null)
			return;
		for (const name of names)
			this.touched.add(name);
		const values = {};
		for (const element of this.form.elements)
			if (this.touched.has(element.name) && (element.type !== "radio" || element.checked))
				values[element.name] = element.type === "checkbox" ? element.checked : element.value;
		keep(this.name, values);
	}

	drop() {
		this.touched.clear();
		if (this.name !== null)
			keep(this.name, null);
	}
}

/** Keeps VALUE for this tab, forgets it where it is null. A browser that keeps nothing for this page forgets it at a reload. */
export function keep(name, value) {
	try {
		if (value === null)
			sessionStorage.removeItem(name);
		else
			sessionStorage.setItem(name, JSON.stringify(value));
	} catch {
		// No storage here.
	}
}

export function fetchKept(name) {
	try {
		return JSON.parse(sessionStorage.getItem(name));
	} catch {
		return null;
	}
}

/** A modal dialog with a form. The element that had the focus gets it back at the end, where it is still there. */
export function openDialog(dialog) {
	const opener = document.activeElement;
	clearProblems(dialog.querySelector("form"));
	tell(dialog, "");
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener("close", () => {
			if (opener?.isConnected)
				opener.focus();
			resolve(dialog.returnValue);
		}, { once: true });
	});
}
