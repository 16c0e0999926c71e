// What transfers say, and the line for downloads.

export const TRANSFERS = {
  "transfers.empty": "Nothing is moving",
  "transfers.empty.hint": "Uploads and downloads show here while they run, whichever program they come from.",
  "transfers.totals": "In all {received} up, {sent} down",
  "transfer.pause": "Pause {name}",
  "transfer.resume": "Continue {name}",
  "transfer.cancel": "Cancel {name}",
  "transfer.since": "Since {time}",
  "transfer.connections": { one: "{n} connection", other: "{n} connections" },
  "transfer.here": "From this page, to {folder}",
  prepare: "Prepare ZIP",
  "prepare.title": "A ZIP of “{name}”",
  "prepare.hint": "The server makes it first; then it comes at full speed, also to programs without a sign-in. It goes on when you close this, and is found among the transfers.",
  "prepare.done": "The ZIP of “{name}” is ready",
  "prepare.not": "The ZIP of “{name}” could not be made",
  "prepare.all": "Prepared ZIPs",
  "ticket.place": "Number {n} in line",
  "ticket.wait": "about {time} to wait",
  "ticket.waiting": "All places for downloads are taken. “{name}” is number {n} in line, and begins by itself.",
  "ticket.over": "The place in line of “{name}” is lost. Start the download again.",
  "ticket.cancel": "Leave the line with {name}",
};
