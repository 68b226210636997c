/* The colour scheme that somebody chose. Runs before the first paint, so that a dark page does not flash white. */
"use strict";
{
	const asked = new URLSearchParams(location.search).get("theme");
	let kept = null;

	try {
		kept = localStorage.getItem("theme");
	} catch {
		/* storage is switched off: the system's scheme it is */
	}
	const theme = [asked, kept].find((name) => name === "light" || name === "dark");
	if (theme)
		document.documentElement.dataset.theme = theme;
	if (new URLSearchParams(location.search).get("embed") === "1")
		document.documentElement.dataset.embed = "1";
}
