// The service's API: one request, its answer, and what went wrong in words for the person at the page.

const service = new URL(document.querySelector("meta[name=focusstats-service]").content, document.baseURI);

/** A request that was not carried out. `status` is 0 where no answer came; `field` names the field that the service complains of, "" where it does not say. */
export class Refusal extends Error {
	constructor(text, status = 0, field = "") {
		super(sentence(text));
		this.status = status;
		this.field = field;
		this.unknownUser = /^there is no user '(.*)'$/s.exec(text)?.[1] ?? null; // who is not there, where that is what is wrong
	}

	/** The words with the field's name before them, for a place that is not beside the field. */
	get whole() {
		return this.field === "" ? this.message : `${sentence(this.field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)).slice(0, -1)}: ${this.message}`;
	}
}

/** Carries out ACTION and returns its answer; throws a Refusal. */
export async function post(action, fields) {
	let response;
	try {
		response = await fetch(new URL(action, service), {
			method: "POST",
			headers: { "Content-Type": "application/json" },
			body: JSON.stringify(fields),
		});
	} catch {
		throw new Refusal("the service cannot be reached. What you typed is still here; try again in a moment");
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
	if (typeof answer?.error === "string")
		throw refusalOf(answer.error, response.status);
	if (response.status === 401)
		throw new Refusal("the web server wants a name and a password", 401);
	if (response.status >= 502 && response.status <= 504)
		throw new Refusal("the service does not answer now. What you typed is still here; try again in a moment", response.status);
	throw new Refusal(`the web server answered ${response.status} ${response.statusText}`.trim(), response.status);
}

/** The one element of a query's answer, without the key around it. */
export async function ask(query, key, fields) {
	return (await post(query, fields))[0][key];
}

// What the service says in the words of its fields, which the page calls otherwise.
const inWords = [
	[/^is before startTime$/, "this is before the start"],
	[/^is after the session's end$/, "this is after the end"],
	[/^is after to$/, "this is after the last day"],
	[/^must repeat the user's id, .*$/s, "type the name exactly as shown"],
	[/^is (\d+) bytes long, more than (\d+)$/, "too long: $1 bytes, at most $2 are possible"],
];

function refusalOf(text, status) {
	// "endTime: is before startTime": the field, and what is wrong with it.
	const [, field = "", rest = text] = /^([a-z][A-Za-z]*): (.*)$/s.exec(text) ?? [];
	return new Refusal(inWords.reduce((said, [pattern, words]) => said.replace(pattern, words), rest), status, field);
}

function sentence(text) {
	return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
