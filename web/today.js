// Today against the goal, and the streaks.
import { byId, loader } from "./dom.js";
import { queryOne, reader } from "./reader.js";
import { count, dateWords, duration } from "./words.js";

const REFRESH_MS = 60_000;

const sections = [byId("today"), byId("streak")];

/** DAYTURNED is called when another reading day has begun. */
export function setUpToday(dayTurned) {
	setInterval(async () => {
		if (reader.calendar === null || document.hidden)
			return;
		const before = reader.today;
		await showToday();
		if (reader.today !== before)
			dayTurned();
	}, REFRESH_MS);
}

const showGoal = loader(sections[0], () => queryOne("_getGoal", "goal"), (goal) => {
	const { goalSeconds, seconds, reached } = goal;
	reader.today = goal.date;
	reveal(sections[0]);
	byId("today-title").textContent = `Today, ${dateWords(goal.date, "short")}`;
	byId("today-read").textContent = duration(goalSeconds > 0 && !reached ? wholeMinutes(seconds, Math.floor) : seconds);
	byId("today-of").textContent = goalSeconds > 0 ? `of ${duration(goalSeconds)}` : "read";
	const part = goalSeconds > 0 ? Math.min(1, seconds / goalSeconds) : 0;
	const ring = byId("ring-done");
	ring.setAttribute("stroke-dasharray", `${(part * 100).toFixed(2)} 100`);
	ring.toggleAttribute("hidden", part === 0);
	sections[0].classList.toggle("reached", reached);
	if (goalSeconds === 0)
		byId("today-words").textContent = "No daily goal is set. The settings have a place for one.";
	else if (reached)
		byId("today-words").textContent = "You have reached today’s goal.";
	else
		byId("today-words").textContent = `${duration(wholeMinutes(goalSeconds - seconds, Math.ceil))} to go.`;
	byId("today-days").textContent = goalSeconds === 0 ? ""
		: `Reached on ${count(goal.daysReached, "day")} in all${goal.currentDays > 1 ? `, ${goal.currentDays} of them in a row up to now` : ""}.`;
});

/** From a minute on; so that what was read is never rounded to a goal that it has not reached. */
function wholeMinutes(seconds, round) {
	return seconds < 60 ? seconds : round(seconds / 60) * 60;
}

const showStreaks = loader(sections[1], () => queryOne("_getStreaks", "streak"), (streak) => {
	reveal(sections[1]);
	byId("streak-current").textContent = count(streak.currentDays, "day");
	byId("streak-longest").textContent = count(streak.longestDays, "day");
	byId("streak-words").textContent = wordsFor(streak);
	byId("streak-when").textContent = streak.longestDays === 0 ? ""
		: `The longest: ${streak.longestDays === 1 ? dateWords(streak.longestStart)
			: `${dateWords(streak.longestStart)} to ${dateWords(streak.longestEnd)}`}.`;
});

function wordsFor(streak) {
	if (streak.currentDays === 0)
		return "Read today, and a new streak begins.";
	return streak.readToday ? "You have read today." : "Read today to keep it.";
}

function reveal(section) {
	section.querySelector(".content").hidden = false;
}

export function showToday() {
	return Promise.all([showGoal(), showStreaks()]);
}
