// The settings, export and erasure.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

export default {
	async change(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("settings");
		const form = page.locator("#settings");
		const save = form.getByRole("button", { name: "Save the settings" });
		await visit.look("settings");
		assert.ok(await form.getByLabel("Time zone").locator("option").count() > 300);
		await visit.says(page.locator("#timezone-hint"), "This browser is in America/New_York.");
		await save.click();
		await visit.says(page.locator("#settings > .message"), "Nothing was changed.");

		await form.getByLabel("Daily goal, minutes").fill("1500");
		await save.click();
		await visit.refused("400 setSettings");
		await visit.says(form.locator(".problem"), "Must be 0 to 1440 minutes.");
		await visit.look("too much", form.getByLabel("Daily goal, minutes"));
		await form.getByLabel("Time zone").selectOption("Asia/Kathmandu");
		await form.getByLabel("A day begins at").fill("04:30");
		await form.getByLabel("A week begins on").selectOption("Sunday");
		await form.getByLabel("Daily goal, minutes").fill("12.5");
		await form.getByLabel("Idle time-out, minutes").fill("5");
		await page.reload();
		await visit.settled();
		assert.equal(await form.getByLabel("Time zone").inputValue(), "Asia/Kathmandu", "typed before the reload");
		assert.equal(await form.getByLabel("Daily goal, minutes").inputValue(), "12.5");
		await save.click();
		await visit.says(page.locator("#settings > .message"), "Saved.");
		await visit.look("saved", save);
		const [{ settings }] = await visit.api("_getSettings");
		assert.deepEqual(settings, { timezone: "Asia/Kathmandu", dayStart: "04:30", weekStart: "sunday", dailyGoalSeconds: 750, idleTimeoutSeconds: 300 });
		await visit.says(page.locator("#calendar-line"), "Asia/Kathmandu; a day begins at 04:30");

		await form.getByLabel("Idle time-out, minutes").fill("7");
		await form.getByRole("button", { name: "Undo my changes" }).click();
		assert.equal(await form.getByLabel("Idle time-out, minutes").inputValue(), "5");

		// Everything follows: weeks, and times of day, in 5:45 h east of Greenwich.
		await visit.go("Overview");
		await visit.says(page.locator("#today"), "24 min of 13 min");
		assert.equal(await page.locator("#hours-grid tbody th").first().innerText(), "Sun");
		assert.equal(await page.locator("#heat tbody th").first().innerText(), "Sun");
		await page.getByText("Week", { exact: true }).click();
		await page.locator("summary", { hasText: "The bars as a table" }).click();
		await visit.says(page.locator("#bars-table"), "27 Apr 2025");
		await visit.go("Sessions");
		await visit.says(page.locator(".session").first(), "21:10 – 21:34");
	},

	/** What another device set meanwhile stands, but for the fields that were changed here. */
	async elsewhere(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("settings");
		const form = page.locator("#settings");
		await form.getByLabel("Daily goal, minutes").fill("20");
		for (const dayStart of ["05:00", "06:00"]) {
			await visit.api("setSettings", { dayStart });
			await page.reload();
			await visit.settled();
			assert.equal(await form.getByLabel("A day begins at").inputValue(), dayStart);
			assert.equal(await form.getByLabel("Daily goal, minutes").inputValue(), "20");
		}
		await visit.look("changed here and elsewhere");
		await form.getByRole("button", { name: "Save the settings" }).click();
		await visit.says(page.locator("#settings > .message"), "Saved.");
		const [{ settings }] = await visit.api("_getSettings");
		assert.deepEqual([settings.dayStart, settings.dailyGoalSeconds], ["06:00", 1200]);
	},

	async account(visit) {
		const { page, user } = visit;
		await visit.load();
		await visit.enter("settings");
		const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download my data" }).click()]);
		const everything = JSON.parse(await readFile(await download.path(), "utf8"));
		assert.deepEqual(everything, (await visit.api("_exportUser"))[0].export);
		assert.equal(everything.sessions.length, 43);
		assert.equal(download.suggestedFilename(), `focusstats-${user.replace(" ", "_")}-2025-05-21.json`);
		await visit.says(page.locator("#export"), "Downloaded: 43 sessions");

		const open = page.getByRole("button", { name: "Erase everything…" });
		await open.click();
		const confirm = page.getByRole("textbox", { name: /To confirm, type your reader’s name/ });
		await visit.look("erase?", confirm);
		await page.getByRole("button", { name: "Keep it all" }).click();
		await visit.look("kept", open);
		await open.click();
		await confirm.fill("someone else");
		const erase = page.getByRole("button", { name: "Erase everything", exact: true });
		await erase.click();
		await visit.refused("400 removeUser");
		await visit.says(page.locator("#erase-dialog .problem"), "Type the name exactly as shown.");
		await visit.look("another name", confirm);
		assert.equal(await confirm.inputValue(), "someone else");
		await confirm.fill(user);
		await erase.click();
		await visit.says(page.locator("#welcome-text"), `${user} was erased, with 43 sessions.`);
		await visit.look("erased", page.getByRole("textbox", { name: "Your reader’s name" }));
	},
};
