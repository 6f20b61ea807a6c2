// Forms that answer in place, and the live page: it reads the playlist once a target duration and the questions every ten seconds.
"use strict";

async function send(form) {
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

for (const form of document.querySelectorAll("form[data-answer]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const output = form.querySelector("output");
    try {
      output.value = form.dataset.answer + Object.values(await send(form))[0];
    } catch (problem) {
      output.value = problem.message;
    }
  });
}

for (const form of document.querySelectorAll("form[data-live]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const output = form.querySelector("output");
    try {
      watch((await send(form)).ticket, output);
    } catch (problem) {
      output.value = problem.message;
    }
  });
}

function watch(ticket, output) {
  const seen = new Set();
  document.querySelector(".onair").hidden = false;
  const playlist = async () => {
    const text = await (await fetch(`/live/${ticket}/index.m3u8`)).text();
    const fresh = text.split("\n").filter((line) => line.startsWith("/") && !seen.has(line)).slice(seen.size ? 0 : -1);
    for (const url of fresh) {
      seen.add(url);
      await (await fetch(url)).arrayBuffer();
      output.value = `You are in: segment ${url.match(/\d+/)[0]}`;
    }
  };
  const questions = async () => {
    const feed = await (await fetch(`/live/questions?ticket=${ticket}`)).json();
    document.querySelector(".questions").replaceChildren(...feed.questions.map((question) => {
      const item = document.createElement("li");
      item.append(question.text, Object.assign(document.createElement("b"), { textContent: question.votes }));
      return item;
    }));
  };
  const every = (seconds, job) => { job(); setInterval(() => job().catch(() => {}), seconds * 1000); };
  every(6, playlist);
  every(10, questions);
}
