// All that the scripts of a share say. What the page says without them is in templates/share.html.

import { teller } from "../app/wording.js";
import { PREPARE } from "../app/words/prepare.js";

export const t = teller({
  ...PREPARE,
  close: "Close",
  copied: "Copied",
  "loading.failed": "This part of the page did not come. Load the page again.",
  "look.next": "The next one",
  "look.place": "{at} of {n}",
  "look.previous": "The one before",
  "look.unable": "This cannot be shown here.",
  "more.coming": "Loading",
});
