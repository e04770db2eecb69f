// Who reads: the first visit, a new reader's empty dashboard, and a server that signs people in.
import assert from "node:assert/strict";

export default {
	async firstVisit(visit) {
		const { page, user } = visit;
		await page.goto(visit.url);
		// Nobody told the service who reads, and it says so.
		await visit.refused("400 _getSettings");
		const name = page.getByRole("textbox", { name: "Your reader’s name" });
		await name.waitFor();
		await visit.look("who is reading", name);

		await page.keyboard.press("Enter");
		await visit.says(page.locator("#enter .problem"), "This is missing.");
		await visit.look("no name", name);

		// What was typed outlives a reload.
		await name.fill(user);
		await page.reload();
		await visit.refused("400 _getSettings");
		assert.equal(await name.inputValue(), user);
		await page.keyboard.press("Tab");
		await page.keyboard.press("Enter");
		await visit.refused("404 _getSettings", "404 _getGoal", "404 _getDocuments", "404 _getTitles");
		await visit.says(page.locator("#create"), `does not know a reader “${user}” yet`);
		await visit.says(page.locator("#create"), "Count my days in America/New_York");
		await visit.look("create");
		await page.getByRole("button", { name: "Use another name" }).click();
		await visit.look("another name", name);
		await page.getByRole("button", { name: "Show my reading" }).click();
		await visit.refused("404 _getSettings", "404 _getGoal", "404 _getDocuments", "404 _getTitles");
		await page.getByRole("button", { name: "Create the reader" }).click();
		await visit.heading("overview").waitFor();
		await visit.settled();
		await visit.says(page.locator("#calendar-line"), "America/New_York; a day begins at 00:00");
		const [{ settings }] = await visit.api("_getSettings");
		assert.equal(settings.timezone, "America/New_York");

		// Remembered, until somebody else is.
		await page.reload();
		await visit.says(page.locator("#who-name"), user);
		await visit.settled();
		await page.getByRole("button", { name: "Change reader" }).click();
		await visit.look("change", name);
		await page.reload();
		await visit.refused("400 _getSettings");
		await name.waitFor();
	},

	/** The question who reads is gone as soon as the dashboard is there, however long the rest of it takes. */
	async slow(visit) {
		const { page } = visit;
		await visit.load();
		let answer;
		const held = new Promise((resolve) => { answer = resolve; });
		await page.route("**/_getHours", async (route) => {
			await held;
			await route.continue();
		});
		await page.goto(visit.url);
		await visit.refused("400 _getSettings");
		await page.getByRole("textbox", { name: "Your reader’s name" }).fill(visit.user);
		await page.keyboard.press("Enter");
		await visit.says(page.locator("#today"), "24 min");
		assert.equal(await page.locator("#year").getAttribute("aria-busy"), "true");
		assert.equal(await page.locator("#welcome").isVisible(), false);
		answer();
		await visit.says(page.locator("#year-title"), "Your reading in 2025");
		await visit.look("all of it", visit.heading("overview"));
	},

	/** A reader who has read nothing: every view says what to do. */
	async empty(visit) {
		const { page } = visit;
		await visit.api("initUser");
		await visit.enter();
		await visit.says(page.locator("#zone-offer"), "Your days are counted in UTC, and this browser is in America/New_York.");
		await visit.says(page.locator("#year-empty"), "Nothing has been read yet.");
		await visit.says(page.locator("#streak"), "Read today, and a new streak begins.");
		await visit.says(page.locator("#today"), "No daily goal is set.");
		await visit.look("empty overview");
		await page.getByRole("button", { name: "Keep UTC" }).click();
		assert.equal(await page.locator("#zone-offer").isVisible(), false);
		await page.reload();
		await visit.settled();
		assert.equal(await page.locator("#zone-offer").isVisible(), false);
		await visit.go("Documents");
		await visit.says(page.locator("#documents-empty"), "No document yet.");
		await visit.look("empty documents", visit.heading("documents"));
		await visit.go("Sessions");
		await visit.says(page.locator("#sessions-empty"), "No session yet.");
		await visit.look("empty sessions", visit.heading("sessions"));
		await visit.go("Settings");
		await visit.look("settings", visit.heading("settings"));
	},

	/** REMOTE_USER: no name is asked for, and none can be changed. Beside the last reader's erasure, a run begins with no reader. */
	async signedIn(visit) {
		const { page, user } = visit;
		await page.goto(visit.url);
		await visit.refused("404 _getSettings");
		await visit.says(page.locator("#create"), `does not know a reader “${user}” yet`);
		await visit.look("create");
		assert.equal(await page.getByRole("button", { name: "Use another name" }).isVisible(), false);
		await page.getByRole("checkbox").uncheck();
		await page.getByRole("button", { name: "Create the reader" }).click();
		await visit.says(page.locator("#who-name"), user);
		await page.locator("#zone-offer-take").click();
		await visit.says(page.locator("#calendar-line"), "America/New_York");
		assert.equal(await page.getByRole("button", { name: "Change reader" }).isVisible(), false);
		await visit.look("overview");
		await visit.api("addSession", { document: "walden", library: "home", startTime: "2025-05-01T10:00:00Z", endTime: "2025-05-01T11:00:00Z" });
		await page.reload();
		await visit.says(page.locator("#who-name"), user);
		await visit.says(page.locator("#year-title"), "Your reading in 2025");

		await visit.go("Settings");
		await page.getByRole("button", { name: "Erase everything…" }).click();
		await page.getByRole("textbox", { name: /To confirm/ }).fill(user);
		await page.getByRole("button", { name: "Erase everything", exact: true }).click();
		await visit.says(page.locator("#welcome"), `${user} was erased, with 1 session.`);
		await visit.look("erased");
	},
};
