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
  "ticket.place": "Number {n} in line",
  "ticket.wait": "about {time} to wait",
  "ticket.waiting": "All places for downloads are taken. “{name}” is number {n} in line, and begins by itself.",
  "ticket.over": "The place in line of “{name}” is lost. Start the download again.",
  "ticket.cancel": "Leave the line with {name}",
};
