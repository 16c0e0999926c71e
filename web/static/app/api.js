// The API: JSON out, JSON in, and a Refusal with a sentence for the person when the answer is no.

import { t } from "./text.js";

const CSRF = document.querySelector("meta[name=csrf-token]").content;

export class Refusal extends Error {
  // `status` is 0 when no answer came; `type` is the end of the problem's type, such as "conflict".
  constructor(status, problem = {}) {
    super(problem.detail ?? (status ? t("refused.status", { status }) : t("refused.offline")));
    this.status = status;
    this.type = (problem.type ?? "").split(":").at(-1);
    this.problem = problem;
  }
}

// What a request that changes something has to carry.
export const credentials = () => ({ "X-CSRFToken": CSRF });

// The answer's JSON, or null when it has none (204, 304). `signal` ends it with an AbortError.
export async function call(method, url, body, { signal, headers } = {}) {
  const response = await fetch(url, {
    method,
    signal,
    headers: {
      Accept: "application/json",
      ...(method !== "GET" && credentials()),
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch((error) => {
    throw error.name === "AbortError" ? error : new Refusal(0);
  });
  if (response.status === 401) signInAgain();
  if (response.status === 204 || response.status === 304) return null;
  const document = await response.json().catch(() => undefined);
  if (!response.ok || document === undefined) throw new Refusal(response.status, document);
  return document;
}

export const get = (url, options) => call("GET", url, undefined, options);
export const post = (url, body, options) => call("POST", url, body, options);
export const patch = (url, body, options) => call("PATCH", url, body, options);
export const remove = (url, options) => call("DELETE", url, undefined, options);

// The session is over; the form leads back to here. What is being uploaded asks before it lets the page go.
function signInAgain() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// `/api/v1/nodes?path=%2Fa` of ("nodes", { path: "/a" }); what is null or undefined is left out.
export function address(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return `/api/v1/${path}${known.length ? `?${new URLSearchParams(known)}` : ""}`;
}
