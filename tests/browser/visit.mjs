// One visit of the dashboard: a page that is watched, and what every state of it must be.
//
// A scenario gets a Visit. Whatever the browser complains of, a request to another origin, or a blocked script fails it at the end, wherever it looks.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

export const ZONE = "Europe/Berlin";
// The browser is elsewhere, so that a time of the browser's zone is seen as wrong.
const BROWSER_ZONE = "America/New_York";

export class Visit {
	constructor(browser, job, tools) {
		const { url, width, scheme, user, password, data, pictures } = job;
		Object.assign(this, { browser, url, width, scheme, user, password, data, pictures, tools });
		this.problems = [];
		this.refusals = [];
		this.lost = new Set(); // what was requested, and got no answer on purpose
		this.states = 0;
	}

	async open() {
		this.context = await this.browser.newContext({
			viewport: { width: this.width, height: 800 }, colorScheme: this.scheme, timezoneId: BROWSER_ZONE, locale: "en-GB", reducedMotion: "reduce",
			acceptDownloads: true, ...this.password && { httpCredentials: { username: this.user, password: this.password } },
		});
		this.context.setDefaultTimeout(10_000);
		this.page = await this.context.newPage();
		const { origin } = new URL(this.url);
		this.page.on("console", (message) => {
			if (!["error", "warning"].includes(message.type()))
				return;
			// The browser reports every refused request; which ones may be, the scenario says.
			const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(message.text())?.[1];
			if (status !== undefined && message.location().url.startsWith(`${origin}/api/`))
				this.refusals.push(`${status} ${message.location().url.split("/").at(-1)}`);
			else if (!this.lost.delete(message.location().url))
				this.problems.push(`console: ${message.text()} (${message.location().url})`);
		});
		this.page.on("pageerror", (error) => this.problems.push(`error of the page: ${error.stack}`));
		this.running = new Set();
		for (const end of ["requestfinished", "requestfailed"])
			this.page.on(end, (request) => this.running.delete(request));
		// What the page before a reload had asked for is nobody's any more.
		this.page.on("framenavigated", () => this.running.clear());
		this.page.on("request", (request) => {
			this.running.add(request);
			const from = new URL(request.url());
			if (from.origin !== origin && !["data:", "blob:"].includes(from.protocol))
				this.problems.push(`request to another origin: ${request.url()}`);
		});
		await this.page.addInitScript(() => {
			addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
		});
	}

	/** Says that requests were refused on purpose: "409 endSession". They must have been, and no others. */
	async refused(...expected) {
		await this.until(() => expected.every((line) => this.refusals.includes(line)), `refused: ${expected}, seen: ${this.refusals}`);
		this.refusals = this.refusals.filter((line) => !expected.includes(line));
	}

	/** The next request for ACTION is carried out, and its answer does not arrive. */
	async loseAnswer(action) {
		await this.page.route(`**/${action}`, async (route) => {
			await route.fetch();
			this.lost.add(route.request().url());
			await route.abort();
		}, { times: 1 });
	}

	async close() {
		await this.context.close();
		for (const line of this.refusals)
			this.problems.push(`a request was refused: ${line}`);
		assert.deepEqual(this.problems, [], "what the browser saw");
		assert.ok(this.states > 0, "no state was looked at");
	}

	// What a reading app does, beside the page

	async api(action, fields = {}) {
		const authorization = this.password ? { Authorization: `Basic ${Buffer.from(`${this.user}:${this.password}`).toString("base64")}` } : {};
		const response = await fetch(new URL(`api/FocusStats/${action}`, this.url), {
			method: "POST", headers: { "Content-Type": "application/json", ...authorization }, body: JSON.stringify({ user: this.user, ...fields }),
		});
		const answer = await response.json();
		assert.ok(response.ok, `${action}: ${JSON.stringify(answer)}`);
		return answer;
	}

	/** The user with the reading of the file, in its zone. */
	async load(settings = {}) {
		await this.api("initUser");
		await this.api("setSettings", { timezone: ZONE, ...settings });
		const sessions = (await readFile(this.data, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
		const { results } = await this.api("addSessions", { sessions });
		assert.deepEqual(results.filter((result) => result.error !== undefined), []);
		assert.equal(results.length, 43);
	}

	// The page

	/** Opens VIEW for a reader whom this browser knows. */
	async enter(view = "overview", user = this.user) {
		await this.page.addInitScript((name) => localStorage.getItem("focusstats-reader") === null && localStorage.setItem("focusstats-reader", name), user);
		await this.page.goto(`${this.url}#${view}`);
		await this.heading(view).waitFor();
		await this.settled();
	}

	async go(name) {
		await this.page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
		await this.settled();
	}

	heading(view) {
		return this.page.locator(`#${view}-title`);
	}

	/** Waits for all that the page has asked for. */
	async settled() {
		await this.page.waitForLoadState("load");
		let quiet = 0;
		await this.until(async () => {
			const busy = await this.page.evaluate(() => document.querySelector('[aria-busy="true"]') !== null);
			quiet = busy || this.running.size > 0 ? 0 : quiet + 1;
			return quiet === 3;
		}, "the page has all that it asked for");
	}

	/** The state that is shown now: nothing wrong for axe, nothing wider than the window, and, where it says where, the focus is there. */
	async look(name, focused = null) {
		this.states++;
		await this.settled();
		const { width, wide } = await this.page.evaluate(() => ({
			width: document.documentElement.scrollWidth,
			wide: [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1
				&& element.checkVisibility({ visibilityProperty: true }) && element.closest(".scroll, .unseen") === null)
				.map((element) => `${element.tagName} ${element.id} ${element.className}`).slice(0, 5),
		}));
		assert.ok(width <= this.width, `${name}: ${width} pixels wide: ${wide}`);
		await this.page.evaluate(this.tools.axe);
		const violations = await this.page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations
			.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 3).map((node) => `  ${node.html}\n  ${node.failureSummary}`).join("\n")}`));
		assert.deepEqual(violations, [], `${name}: ${violations.join("\n")}`);
		if (focused !== null)
			assert.ok(await focused.evaluate((element) => element === document.activeElement), `${name}: the focus is elsewhere: ${await this.focus()}`);
	}

	focus() {
		return this.page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200));
	}

	/** Waits until CONDITION holds. */
	async until(condition, what) {
		const end = Date.now() + 10_000;
		while (!await condition()) {
			if (Date.now() > end)
				throw new Error(`not within 10 s: ${typeof what === "function" ? what() : what}`);
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	/** Waits until LOCATOR says TEXT, a string that it contains or a pattern. */
	async says(locator, text) {
		let said = "";
		await this.until(async () => {
			said = (await locator.innerText().catch(() => "")).replace(/\s+/g, " ");
			return typeof text === "string" ? said.includes(text) : text.test(said);
		}, () => `${locator} says ${text}, not: ${said}`);
	}

	/** Does something to the service: clock(at), stop(), start(). */
	service(what, argument) {
		return this.tools.service(what, argument);
	}
}
