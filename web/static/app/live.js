// What happens on the server, as it happens. Of all tabs one asks, and passes on what it hears: by a stream of events where
// the server has room for one, else by asking every few seconds, which mostly costs a 304.

import { tell } from "./changes.js";

const EVENTS = "/api/v1/events";
const EVERY = 3000; // milliseconds between two questions
const HIDDEN_EVERY = 15000; // the same while nobody looks
const STREAM_AGAIN = 60_000; // milliseconds after which a server that had no room for a stream is asked for one again

const heard = new EventTarget();
const owner = document.body.dataset.userId;
let last = null; // the event up to which everything is known
let channel = null;

// Calls back with each event, { type, folders, ... }. Returns what ends it.
export function listen(callback) {
  const hear = ({ detail }) => callback(detail);
  heard.addEventListener("event", hear);
  return () => heard.removeEventListener("event", hear);
}

// Begin, once for the document: learn where the events stand, then hear of those that follow.
export async function start() {
  const locks = navigator.locks;
  await ask();
  if (!locks) {
    // only on https and localhost; a tab elsewhere asks for itself
    lead();
    return;
  }
  channel = new BroadcastChannel(`live:${owner}`);
  channel.addEventListener("message", ({ data }) => take(data));
  locks.request(`live:${owner}`, lead); // for as long as this tab is there
}

// What the one that asks has heard: { since, last, events, reset }.
function take(news) {
  const missed = news.reset || news.since > last;
  last = news.reset ? news.last : Math.max(last, news.last); // it goes back where a backup was put back
  if (missed) tell(undefined);
  for (const event of news.events) {
    heard.dispatchEvent(new CustomEvent("event", { detail: event }));
    if (event.folders?.length) tell(event.folders);
  }
}

function passOn(news) {
  const whole = { ...news, since: last };
  take(whole);
  channel?.postMessage(whole);
}

// Ask for ever. A tab that takes over from another begins where it had heard up to.
async function lead() {
  for (;;) {
    await stream();
    const until = Date.now() + STREAM_AGAIN;
    while (Date.now() < until) {
      await ask();
      await pause(document.hidden ? HIDDEN_EVERY : EVERY);
    }
  }
}

let etag = null;

async function ask() {
  const url = last === null ? EVENTS : `${EVENTS}?since=${last}`; // null until the server was reached once
  try {
    const response = await fetch(url, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
    if (!response.ok) return; // 304; or trouble, which the next question outlives
    etag = response.headers.get("ETag");
    const news = await response.json();
    if (last === null) last = news.last;
    else passOn(news);
  } catch (error) {
    // The line is down, or somebody between answers with a page of their own, as hotels do.
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
  }
}

// Listen to a stream until it ends, or until the server will not give one: it is full, or out of reach.
function stream() {
  return new Promise((resolve) => {
    if (last === null) return resolve();
    const source = new EventSource(`${EVENTS}?since=${last}`);
    let opened = false;
    source.onopen = () => {
      opened = true;
    };
    source.onmessage = ({ data, lastEventId }) =>
      passOn({ events: [JSON.parse(data)], last: Number(lastEventId), reset: false });
    source.addEventListener("reset", ({ lastEventId }) =>
      passOn({ events: [], last: Number(lastEventId), reset: true }),
    );
    source.onerror = () => {
      if (source.readyState === EventSource.CONNECTING && opened) return; // its life is over, and it comes back by itself
      source.close();
      resolve();
    };
    return undefined;
  });
}

// Wait; shorter when somebody looks again.
function pause(milliseconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    const look = () => document.hidden || done();
    const timer = setTimeout(done, milliseconds);
    document.addEventListener("visibilitychange", look);
  });
}
