// The overview: today, streaks, the year's figures and charts, each of them as a table, too.
import assert from "node:assert/strict";

const unfold = (page, name) => page.locator("summary", { hasText: name }).click();

export default {
	/** Today against the goal, and the streaks; both follow what is recorded, and the clock. */
	async today(visit) {
		const { page } = visit;
		await visit.load({ dailyGoalSeconds: 1800 });
		await visit.enter();
		await visit.says(page.locator("#calendar-line"), "Days and times are those of Europe/Berlin; a day begins at 00:00.");
		// 23 min 35 s were read today.
		await visit.says(page.locator("#today"), "Today, 21 May 23 min of 30 min 7 min to go. Reached on 5 days in all.");
		await visit.says(page.locator("#streak"), "Current 1 day Longest 9 days You have read today. The longest: 6 May 2025 to 14 May 2025.");
		assert.match(await page.locator("#ring-done").getAttribute("stroke-dasharray"), /^78\.6\d 100$/);
		await visit.look("today");
		await visit.api("addSession", { document: "book-8", library: "koreader", startTime: "2025-05-21T16:00:00Z", endTime: "2025-05-21T16:30:00Z" });
		await page.reload();
		await visit.says(page.locator("#today"), "54 min of 30 min You have reached today’s goal. Reached on 6 days in all.");
		await visit.look("reached");
		await visit.api("setSettings", { dailyGoalSeconds: 54 * 60 });
		await page.reload();
		await visit.says(page.locator("#today"), "53 min of 54 min 25 s to go.");
		await visit.service("clock", "2025-05-22T05:00:00Z");
		await page.reload();
		await visit.says(page.locator("#today"), "Today, 22 May 0 min of 54 min");
		await visit.says(page.locator("#streak"), "Current 1 day Longest 9 days Read today to keep it.");
	},

	/** The year: which one, its figures, the heat map by mouse and keyboard, the hours. */
	async year(visit) {
		const { page } = visit;
		await visit.load();
		await visit.api("addSession", { document: "walden", library: "home", startTime: "2024-12-31T22:30:00Z", endTime: "2024-12-31T23:30:00Z" });
		await visit.enter();
		const figures = page.locator("#figures");
		await visit.says(page.locator("#year-title"), "Your reading in 2025");
		await visit.says(figures, "Time read 7 h 14 min Days with reading 18 Sessions 44 Documents 10");
		await visit.look("2025");
		const before = page.getByRole("button", { name: "The year before" });
		await before.click();
		await visit.says(page.locator("#year-title"), "Your reading in 2024");
		await visit.says(figures, "Time read 30 min Days with reading 1 Sessions 1 Documents 1 Average day with reading 30 min");
		await visit.look("2024, the first", page.locator("#year-title"));
		assert.ok(await before.isDisabled());
		await page.getByLabel("Year shown").selectOption("2025");
		await visit.says(page.locator("#year-title"), "Your reading in 2025");

		await visit.api("addSession", { document: "emma", library: "home", startTime: "2025-01-02T10:00:00Z", endTime: "2025-01-02T10:30:00Z" });
		await visit.api("addSession", { document: "walden", library: "home", startTime: "2025-01-02T10:20:00Z", endTime: "2025-01-02T10:30:00Z" });
		await page.reload();
		await visit.says(page.locator("#figures-note"), /^Sessions overlap by 10 min, which is counted once\. 46 sessions of 7 h 54 min in sum\.$/);

		// A grid with one stop of the Tab key, and arrow keys within.
		const cell = (date) => page.locator(`#heat [data-date="${date}"]`);
		assert.equal(await page.locator("#heat .day").count(), 365);
		assert.equal(await page.locator("#heat [tabindex='0']").count(), 1);
		await cell("2025-05-21").focus();
		await page.keyboard.press("ArrowLeft");
		await page.keyboard.press("ArrowUp");
		await page.keyboard.press("ArrowUp");
		await page.keyboard.press("ArrowDown");
		await visit.look("a day of the heat map", cell("2025-05-13"));
		assert.equal(await cell("2025-05-13").getAttribute("aria-label"), "Tue, 13 May 2025: 37 min in 3 sessions of 1 document");
		await visit.says(page.locator("#heat-day"), "Tue, 13 May 2025: 37 min in 3 sessions of 1 document.");
		await page.keyboard.press("Home");
		assert.match(await visit.focus(), /Wed, 1 Jan 2025: 30 min/);
		await page.keyboard.press("End");
		assert.match(await visit.focus(), /Wed, 31 Dec 2025: still to come/);
		await unfold(page, "Every day as a table");
		await visit.says(page.locator("#heat-table"), "Tue, 13 May 2025 37 min 3 1");
		assert.equal(await page.locator("#heat-table tbody tr").count(), 19);

		const thursday = page.locator("#hours-grid tbody tr").nth(3);
		assert.equal(await thursday.locator("td").nth(17).getAttribute("class"), "level-4");
		await visit.says(page.locator("#hours-words"), /^The busiest hour: \w+days between \d+ and \d+ h, \d+ min in all\. The strongest/);
		await unfold(page, "The hours as a table of minutes");
		assert.equal(await page.locator("#hours-table tbody tr").count(), 24);
		await visit.look("tables of days and hours");

		// A day's sessions: by the keyboard, and by a click.
		await cell("2025-05-13").focus();
		await page.keyboard.press("Enter");
		await visit.heading("sessions").waitFor();
		await visit.says(page.locator("#session-list"), "Tuesday, 13 May 2025");
		await visit.look("that day’s sessions", visit.heading("sessions"));
		assert.equal(await page.locator(".session").count(), 3);
		await visit.go("Overview");
		await cell("2025-05-14").click();
		await visit.says(page.locator("#session-list"), "Wednesday, 14 May 2025");
		assert.equal(await page.locator(".session").count(), 1);
	},

	/** The bars, by their table and their words; the picture itself is Chart.js's. */
	async bars(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter();
		const chart = page.locator("#bars-chart");
		const table = page.locator("#bars-table");
		await unfold(page, "The bars as a table");
		await visit.says(table, "Time by day, May 2025");
		await visit.says(table, "Thu, 1 May 2025 53 min 6 1");
		assert.equal(await table.locator("tbody tr").count(), 15);
		assert.match(await chart.getAttribute("aria-label"), /^Bars: time by day, May 2025\. 5 h 48 min in all; most on Thu, 1 May 2025, 53 min\./);
		const inked = () => chart.evaluate((canvas) => canvas.toDataURL().length > 3000);
		await visit.until(inked, "the bars are drawn");
		await visit.look("by day");

		await page.getByLabel("Month shown").selectOption("2025-04");
		await visit.says(table, "Sun, 27 Apr 2025 14 min 2 2");
		await page.getByRole("radio", { name: "Day" }).focus();
		await page.keyboard.press("ArrowRight");
		await visit.says(table, "Time by week, 2025");
		await visit.says(table, "28 Apr 2025");
		assert.equal(await page.getByLabel("Month shown").isVisible(), false);
		await visit.look("by week", page.getByRole("radio", { name: "Week" }));
		await page.getByText("Month", { exact: true }).click();
		await visit.says(table, "Time by month, 2025");
		await visit.says(table, "April 2025 55 min 6 3");
		await visit.says(table, "May 2025 5 h 48 min 37 7");
		await visit.look("by month");
		// The colours follow.
		await page.emulateMedia({ colorScheme: visit.scheme === "dark" ? "light" : "dark" });
		await visit.until(inked, "the bars are drawn again");
		await visit.look("the other colours");
	},

	async withoutCharts(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter();
		assert.equal(await page.locator("#bars-chart").isVisible(), false);
		await visit.says(page.locator("#bars-table"), "Thu, 1 May 2025 53 min 6 1");
		await visit.look("without Chart.js");
	},
};
