// The first page: its forms as JSON requests to the service, and the answers in words.
// Nothing typed is ever cleared by a refusal, and it outlives a reload of the page in this tab.
"use strict";

const service = new URL(document.querySelector("meta[name=focusstats-service]").content, document.baseURI);
const byId = (id) => document.getElementById(id);

/** What went wrong, as a sentence for the person at the page. */
class Refusal extends Error {
	constructor(message, status) {
		super(message);
		this.status = status;
	}
}

/** Carries out an action and returns its answer; throws a Refusal. */
async function post(action, fields) {
	let response;
	try {
		response = await fetch(new URL(action, service), {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(fields),
		});
	} catch {
		throw new Refusal("The service cannot be reached. What you typed is still here; try again.", 0);
	}
	let answer = null;
	try {
		answer = await response.json();
	} catch {
		// Not from the service but from the web server in front of it; its status has to do.
	}
	// A service that is set to answer refusals with 200 tells them by the same key.
	if (response.ok && answer !== null && answer.error === undefined)
		return answer;
	if (answer?.error)
		throw new Refusal(sentence(answer.error), response.status);
	if (response.status === 401)
		throw new Refusal("The web server wants a name and a password.", 401);
	throw new Refusal(`The web server answered ${response.status} ${response.statusText}`.trim() + ".", response.status);
}

function sentence(text) {
	return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** Shows TEXT below a form or section; kind is "good", "error" or nothing. */
function tell(place, text, kind = "") {
	const message = place.querySelector(".message");
	message.hidden = text === "";
	message.className = `message ${kind}`;
	message.textContent = text;
}

/** Runs WORK with the buttons of PLACE out of reach, and tells there what it returns or why it failed. */
async function during(place, work) {
	const buttons = [...place.querySelectorAll("button")].filter((button) => !button.disabled);
	const focused = document.activeElement;
	for (const button of buttons)
		button.disabled = true;
	try {
		tell(place, await work(), "good");
	} catch (error) {
		tell(place, error instanceof Refusal ? error.message : `This page has an error: ${error.message}`, "error");
	} finally {
		for (const button of buttons)
			button.disabled = false;
		// The focused button may be gone with its row.
		(focused?.isConnected ? focused : place.querySelector("h2")).focus();
	}
}

/** The value of a field, or a Refusal that names it. An id may begin or end with blanks, so nothing is trimmed. */
function valueOf(id) {
	const field = byId(id);
	if (field.value !== "")
		return field.value;
	field.focus();
	throw new Refusal(`${field.labels[0].textContent} is missing.`, 0);
}

// The list of sessions

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function duration(milliseconds) {
	const seconds = Math.max(0, Math.round(milliseconds / 1000));
	const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
	return parts.filter(([number], index) => number > 0 || (index === 2 && seconds === 0))
		.map(([number, unit]) => `${number} ${unit}`).join(" ");
}

function showTime(element, instant, otherwise) {
	if (instant !== null)
		element.dateTime = instant;
	element.textContent = instant === null ? otherwise : clock.format(new Date(instant));
}

function rowOf(user, session) {
	const row = byId("session").content.cloneNode(true).firstElementChild;
	const active = session.endTime === null;
	row.querySelector(".document").textContent = session.document;
	showTime(row.querySelector(".started"), session.startTime, "");
	showTime(row.querySelector(".ended"), session.endTime, "still open");
	row.querySelector(".length").textContent = active ? "" : duration(new Date(session.endTime) - new Date(session.startTime));
	const end = row.querySelector(".end");
	const remove = row.querySelector(".remove");
	const about = `the session of ${session.document} of ${clock.format(new Date(session.startTime))}`;
	end.setAttribute("aria-label", `End ${about}`);
	remove.setAttribute("aria-label", `Remove ${about}`);
	if (!active)
		end.remove();
	end.addEventListener("click", () => during(byId("sessions"), async () => {
		await post("endSession", { focusSession: session._id });
		return `Ended. ${await showSessions(user)}`;
	}));
	remove.addEventListener("click", async () => {
		if (!await confirmed(`Remove ${about} for good?`))
			return;
		during(byId("sessions"), async () => {
			await post("removeSession", { focusSession: session._id });
			return `Removed. ${await showSessions(user)}`;
		});
	});
	return row;
}

function confirmed(question) {
	const dialog = byId("confirm");
	byId("confirm-text").textContent = question;
	dialog.returnValue = "no";
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
	});
}

/** Shows the list after something else was done, whose own message stays whatever becomes of the list. */
async function refresh(user) {
	try {
		tell(byId("sessions"), await showSessions(user), "good");
	} catch (error) {
		tell(byId("sessions"), error.message, "error");
	}
}

/** Fills the list, newest first, and returns what there is to say about it. */
async function showSessions(user) {
	const section = byId("sessions");
	const sessions = (await post("_getSessions", { user })).map((element) => element.focusSession).reverse();
	const open = sessions.filter((session) => session.endTime === null).length;
	section.querySelector("tbody").replaceChildren(...sessions.map((session) => rowOf(user, session)));
	section.querySelector(".scroll").hidden = sessions.length === 0;
	byId("sessions-title").textContent = `Sessions of ${user}`;
	if (sessions.length === 0)
		return "No session yet.";
	return `${sessions.length} ${sessions.length === 1 ? "session" : "sessions"}, ${open} still open.`;
}

// The forms

byId("reader").addEventListener("submit", (event) => {
	const form = event.currentTarget;
	event.preventDefault();
	tell(form, "");
	if (event.submitter?.value === "create") {
		during(form, async () => {
			const user = valueOf("user");
			await post("initUser", { user });
			await refresh(user);
			return `${user} can read now.`;
		});
	} else {
		during(byId("sessions"), () => showSessions(valueOf("user")));
	}
});

byId("start").addEventListener("submit", (event) => {
	const form = event.currentTarget;
	event.preventDefault();
	during(form, async () => {
		const user = valueOf("user");
		const fields = { user, document: valueOf("document"), library: valueOf("library") };
		await post("startSession", fields);
		await refresh(user);
		return `Reading ${fields.document}. End the session in the list below.`;
	});
});

// What is typed stays through a reload.

for (const field of document.querySelectorAll("main input")) {
	const key = `focusstats-${field.id}`;
	try {
		field.value ||= sessionStorage.getItem(key) ?? "";
		field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
	} catch {
		// A browser that keeps nothing for this page; then a reload forgets.
	}
}

// Is it there?

(async () => {
	const place = byId("health");
	try {
		const response = await fetch(new URL("health", service));
		if (response.status === 401) {
			place.textContent = "The web server wants a name and a password.";
			return;
		}
		const answer = await response.json();
		place.className = response.ok ? "good" : "error";
		place.textContent = response.ok ? "The service answers." : sentence(answer.error);
	} catch {
		place.className = "error";
		place.textContent = "The service does not answer.";
	}
})();
