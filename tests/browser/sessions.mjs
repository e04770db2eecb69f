// The sessions: filter, pages, edit, delete, add; times at clock changes.
import assert from "node:assert/strict";

const rows = (page) => page.locator(".session");

async function dialog(visit, button) {
	await visit.page.getByRole("button", { name: button }).first().click();
	return {
		document: visit.page.locator("#session-document"), library: visit.page.locator("#session-library"),
		start: visit.page.getByLabel("Start", { exact: true }), end: visit.page.getByLabel("End", { exact: true }),
		save: visit.page.locator("#session-save"),
	};
}

const latest = async (visit, fields = {}) => (await visit.api("_getSessions", { order: "desc", limit: 1, ...fields }))[0].focusSession;

export default {
	async list(visit) {
		const { page } = visit;
		await visit.load();
		await visit.api("addSession", { document: "walden", library: "home", startTime: "2025-05-20T21:50:00Z", endTime: "2025-05-20T22:10:00Z" });
		await visit.enter("sessions");
		assert.equal(await rows(page).count(), 20);
		await visit.says(page.locator("#session-list section").first(), /^Wednesday, 21 May 2025 .*17:25 – 17:49/);
		await visit.says(page.locator("#session-list"), "23:50 – 21 May 2025, 00:10");
		await visit.look("the first page");
		await page.getByRole("button", { name: "Older ›" }).click();
		await visit.says(page.locator("#page"), "Page 2");
		await visit.look("the second page", visit.heading("sessions"));
		await page.getByRole("button", { name: "Older ›" }).click();
		await visit.says(page.locator("#page"), "Page 3");
		await visit.settled();
		assert.equal(await rows(page).count(), 4);
		await visit.says(rows(page).last(), "13:58 – 13:59");
		assert.ok(await page.getByRole("button", { name: "Older ›" }).isDisabled());
		await page.getByRole("button", { name: "‹ Newer" }).click();
		await visit.says(page.locator("#page"), "Page 2");

		const filter = page.locator("#filter");
		const show = filter.getByRole("button", { name: "Show" });
		await filter.getByLabel("Document").selectOption("book-8");
		await filter.getByLabel("From").fill("2025-05-10");
		await filter.getByLabel("To, that day too").fill("2025-05-11");
		await show.click();
		await visit.settled();
		assert.equal(await rows(page).count(), 6);
		await visit.look("filtered", show);
		await page.reload();
		await visit.settled();
		assert.equal(await filter.getByLabel("From").inputValue(), "2025-05-10", "kept over a reload");
		assert.equal(await rows(page).count(), 6);
		for (const from of ["2025-05-13", "2025-05-12"]) {
			await filter.getByLabel("From").fill(from);
			assert.equal(await filter.locator(".problem").count(), 0);
			await show.click();
			await visit.says(filter.locator(".problem"), "This is after the last day.");
			await visit.look("from after to", filter.getByLabel("From"));
			if (visit.width > 1000) {
				const tops = await filter.locator("input, select, button").evaluateAll((elements) => elements.map((element) => element.getBoundingClientRect().top));
				assert.ok(Math.max(...tops) - Math.min(...tops) < 1, `in one row: ${tops}`);
			}
			assert.equal(await rows(page).count(), 6);
			assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
		}
		await page.reload();
		await visit.settled();
		assert.equal(await filter.getByLabel("From").inputValue(), "2025-05-12");
		assert.equal(await rows(page).count(), 20, "a filter that cannot be is none");
		await filter.getByRole("button", { name: "Clear" }).click();
		await visit.settled();
		assert.equal(await rows(page).count(), 20);
		await filter.getByLabel("Library").fill("home");
		await page.keyboard.press("Enter");
		await visit.settled();
		assert.equal(await rows(page).count(), 1);
		await filter.getByLabel("Library").fill("nowhere");
		await page.keyboard.press("Enter");
		await visit.says(page.locator("#sessions-empty"), "No session fits the filter.");
		await visit.look("none fits");
	},

	/** A double click, and an answer that does not come: the pages stay in step. */
	async pages(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("sessions");
		const [older, newer] = ["Older ›", "‹ Newer"].map((name) => page.getByRole("button", { name }));
		const firsts = [await rows(page).first().innerText()];
		await older.dblclick();
		await visit.settled();
		await visit.says(page.locator("#page"), "Page 2");
		assert.equal(await rows(page).count(), 20);
		await visit.look("page 2 by a double click", visit.heading("sessions"));
		firsts.push(await rows(page).first().innerText());
		await visit.loseAnswer("_getSessions");
		await older.click();
		const message = page.locator("#sessions-message");
		await visit.says(message, "The service cannot be reached.");
		await visit.says(page.locator("#page"), "Page 2");
		await visit.look("page 3 did not come");
		await newer.click();
		await visit.says(page.locator("#page"), "Page 1");
		assert.equal(await rows(page).first().innerText(), firsts[0]);
		await visit.loseAnswer("_getSessions");
		await older.click();
		await message.getByRole("button", { name: "Try again" }).click();
		await visit.says(page.locator("#page"), "Page 2");
		assert.equal(await rows(page).first().innerText(), firsts[1]);
		await older.click();
		await visit.says(page.locator("#page"), "Page 3");
		assert.equal(await rows(page).count(), 3);
	},

	/** What began after midnight and before the day start stands below the date before, and says its own. */
	async afterMidnight(visit) {
		const { page } = visit;
		await visit.load({ dayStart: "04:00" });
		await visit.api("addSession", { document: "walden", library: "home", startTime: "2025-05-20T23:10:00Z", endTime: "2025-05-20T23:40:00Z" });
		await visit.api("addSession", { document: "emma", library: "home", startTime: "2025-05-20T21:50:00Z", endTime: "2025-05-20T22:10:00Z" });
		await visit.enter("sessions");
		const day = page.locator("#session-list section", { hasText: "Tuesday, 20 May 2025" });
		await visit.says(day, "21 May 2025, 01:10 – 01:40 walden");
		await visit.says(day, "23:50 – 21 May 2025, 00:10 emma");
		await visit.look("after midnight");
		await page.getByRole("button", { name: /^Delete: walden/ }).click();
		await visit.says(page.locator("#delete-text"), /^walden, 21 May 2025, 01:10 – 01:40\. It/);
	},

	async edit(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("sessions");
		const before = await latest(visit);
		let fields = await dialog(visit, /^Edit: book-8, 21 May 2025/);
		assert.equal(await fields.start.inputValue(), "2025-05-21T17:25:53");
		await visit.look("edit", fields.document);
		await fields.end.fill("2025-05-21T17:00");
		await fields.save.click();
		await visit.says(page.locator("#session-dialog .problem"), "This is before the start.");
		await visit.look("an end before the start");
		// Half done, a reload: it is all there again.
		await fields.document.fill("emma");
		await page.reload();
		await visit.settled();
		fields = await dialog(visit, /^Edit: book-8, 21 May 2025/);
		assert.deepEqual([await fields.document.inputValue(), await fields.end.inputValue()], ["emma", "2025-05-21T17:00"]);
		await fields.end.fill("2025-05-21T18:00");
		await fields.save.click();
		await visit.says(page.locator("#sessions-message"), "Saved.");
		await visit.says(rows(page).first(), "17:25 – 18:00 emma koreader 34 min");
		await visit.look("saved", page.getByRole("button", { name: /^Edit: emma/ }));
		assert.deepEqual(await latest(visit), { ...before, document: "emma", endTime: "2025-05-21T16:00:00.000Z" });

		// Delete: asked first; the focus goes to the next row.
		const remove = page.getByRole("button", { name: /^Delete: emma/ });
		await remove.focus();
		await page.keyboard.press("Enter");
		const keep = page.getByRole("button", { name: "Keep it", exact: true });
		await visit.look("delete?", keep);
		await visit.says(page.locator("#delete-text"), "emma, 21 May 2025, 17:25 – 18:00. It goes from every statistic, for good.");
		await page.keyboard.press("Enter");
		await visit.look("kept", remove);
		await remove.click();
		await page.getByRole("button", { name: "Delete it" }).click();
		await visit.says(page.locator("#sessions-message"), "Deleted.");
		await visit.until(async () => /Delete: book-8, 16 May 2025/.test(await visit.focus()), "the focus on the next row");
		assert.equal((await latest(visit)).document, "book-8");
	},

	async add(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("sessions");
		let fields = await dialog(visit, "Add a past session");
		await visit.look("add", fields.document);
		await fields.save.click();
		await visit.says(page.locator("#session-dialog .problem"), "This is missing.");
		await fields.document.fill("walden");
		await fields.library.fill("home");
		await fields.start.fill("2025-05-20T20:00");
		await fields.end.fill("2025-05-20T19:59");
		await fields.save.click();
		await visit.says(page.locator("#session-dialog .problem"), "This is before the start.");
		await fields.end.fill("2025-05-22T20:00");
		await fields.save.click();
		await visit.refused("400 addSession");
		await visit.says(page.locator("#session-dialog .problem"), /future/);
		await visit.look("an end in the future", fields.end);
		await page.reload();
		await visit.settled();
		fields = await dialog(visit, "Add a past session");
		assert.deepEqual([await fields.document.inputValue(), await fields.start.inputValue()], ["walden", "2025-05-20T20:00"]);
		await fields.end.fill("2025-05-20T20:45");
		await page.keyboard.press("Enter");
		await visit.says(page.locator("#sessions-message"), "Added.");
		await visit.look("added", page.getByRole("button", { name: "Add a past session" }));
		await visit.says(page.locator("#session-list"), "Tuesday, 20 May 2025 20:00 – 20:45 walden home 45 min");
		const { startTime, endTime, library } = await latest(visit, { document: "walden" });
		assert.deepEqual([startTime, endTime, library], ["2025-05-20T18:00:00.000Z", "2025-05-20T18:45:00.000Z", "home"]);
		fields = await dialog(visit, "Add a past session");
		assert.equal(await fields.document.inputValue(), "", "what was saved is no draft any more");
	},

	/** A draft has what was changed here, and nothing else. */
	async drafts(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("sessions");
		const before = await latest(visit);
		let fields = await dialog(visit, /^Edit: book-8, 21 May 2025/);
		await fields.document.fill("emma");
		await page.keyboard.press("Escape");
		await visit.api("editSession", { focusSession: before._id, endTime: "2025-05-21T15:40:00Z" });
		await page.reload();
		await visit.settled();
		fields = await dialog(visit, /^Edit: book-8, 21 May 2025/);
		assert.deepEqual([await fields.document.inputValue(), await fields.end.inputValue()], ["emma", "2025-05-21T17:40"]);
		await visit.look("a draft of the document");
		await fields.save.click();
		await visit.says(page.locator("#sessions-message"), "Saved.");
		assert.deepEqual(await latest(visit), { ...before, document: "emma", endTime: "2025-05-21T15:40:00.000Z" });

		// Which of two equal times it is comes back, too.
		const second = page.locator("#session-end-twice").getByLabel("the second, GMT+01:00");
		fields = await dialog(visit, "Add a past session");
		await fields.end.fill("2024-10-27T02:30");
		await second.check();
		await page.keyboard.press("Escape");
		await dialog(visit, "Add a past session");
		assert.ok(await second.isChecked(), "after Escape");
		await page.reload();
		await visit.settled();
		await dialog(visit, "Add a past session");
		assert.ok(await second.isChecked(), "after a reload");
		await page.getByRole("button", { name: "Cancel" }).click();

		// A filter that was set from another view is kept as a whole.
		await page.locator("#filter-library").fill("home");
		await visit.go("Documents");
		await page.getByRole("button", { name: "Sessions of book-2" }).click();
		await visit.settled();
		await page.reload();
		await visit.settled();
		assert.deepEqual([await page.locator("#filter-document").inputValue(), await page.locator("#filter-library").inputValue()], ["book-2", ""]);
	},

	/** Europe/Berlin: 30 March 2025, 02:00 to 03:00 does not exist; 27 October 2024, 02:00 to 03:00 comes twice. */
	async clockChanges(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("sessions");
		let fields = await dialog(visit, "Add a past session");
		await fields.document.fill("spring");
		await fields.library.fill("home");
		await fields.start.fill("2025-03-30T02:30");
		await fields.end.fill("2025-03-30T03:30");
		await fields.save.click();
		await visit.says(page.locator("#session-dialog .problem"), "This time does not exist in Europe/Berlin: that day the clocks went from 02:00 to 03:00.");
		await visit.look("a time that does not exist", fields.start);
		await fields.start.fill("2025-03-30T01:30");
		await fields.save.click();
		await visit.says(page.locator("#sessions-message"), "Added.");
		let session = await latest(visit, { document: "spring" });
		assert.deepEqual([session.startTime, session.endTime], ["2025-03-30T00:30:00.000Z", "2025-03-30T01:30:00.000Z"]);

		fields = await dialog(visit, "Add a past session");
		await fields.document.fill("autumn");
		await fields.library.fill("home");
		await fields.start.fill("2024-10-27T02:30");
		const first = page.locator("#session-start-twice").getByLabel("the first, GMT+02:00");
		assert.ok(await first.isChecked());
		await fields.end.fill("2024-10-27T02:30");
		await page.locator("#session-end-twice").getByLabel("the second, GMT+01:00").check();
		await visit.look("times that come twice");
		await fields.save.click();
		await visit.says(page.locator("#sessions-message"), "Added.");
		session = await latest(visit, { document: "autumn" });
		assert.deepEqual([session.startTime, session.endTime], ["2024-10-27T00:30:00.000Z", "2024-10-27T01:30:00.000Z"]);

		// An edit of another field leaves the second one of the two times as it is.
		await page.locator("#filter").getByLabel("To, that day too").fill("2024-12-31");
		await page.locator("#filter").getByRole("button", { name: "Show" }).click();
		await visit.says(rows(page).first(), "02:30 – 02:30 autumn home 1 h");
		fields = await dialog(visit, /^Edit: autumn/);
		assert.ok(await page.locator("#session-end-twice").getByLabel("the second, GMT+01:00").isChecked());
		await fields.document.fill("fall");
		await fields.save.click();
		await visit.says(page.locator("#sessions-message"), "Saved.");
		session = await latest(visit, { document: "fall" });
		assert.deepEqual([session.startTime, session.endTime], ["2024-10-27T00:30:00.000Z", "2024-10-27T01:30:00.000Z"]);
		fields = await dialog(visit, /^Edit: fall/);
		await page.locator("#session-end-twice").getByLabel("the first, GMT+02:00").check();
		await fields.save.click();
		await visit.says(rows(page).first(), "02:30 – 02:30 fall home 0 min");
	},
};
