// All that the scripts of a share say. What the page says without them is in templates/share.html.

import { teller } from "../app/wording.js";

export const t = teller({
  close: "Close",
  copied: "Copied",
  download: "Download",
  "look.next": "The next one",
  "look.place": "{at} of {n}",
  "look.previous": "The one before",
  "look.unable": "This cannot be shown here.",
  "more.coming": "Loading",
  "prepare.again": "Try again",
  "prepare.cancel": "Cancel",
  "prepare.failed": "The ZIP could not be made.",
  "prepare.left": "{time} left",
  "prepare.of": "{done} of {total}",
  "prepare.offline": "The server does not answer. Trying again.",
  "prepare.ready": "The ZIP is ready.",
  "prepare.until": "It is kept until {when}.",
  "prepare.waiting": "Waiting for its turn",
});
