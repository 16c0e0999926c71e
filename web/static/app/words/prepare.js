// What is said of a ZIP that is made beforehand, to its owner and to visitors of a share.

export const PREPARE = {
  "prepare.waiting": "Waiting for its turn",
  "prepare.making": "Being packed",
  "prepare.moving": "Packed, and on its way to storage",
  "prepare.of": "{done} of {total}",
  "prepare.left": "{time} left",
  "prepare.ready": "The ZIP is ready: {size}",
  "prepare.until": "kept until {time}",
  "prepare.cancelled": "Cancelled",
  "prepare.failed": "The ZIP could not be made.",
  "prepare.offline": "The server does not answer. Trying again.",
  "prepare.again": "Try again",
  "prepare.cancel": "Cancel",
  "prepare.progress": "Making of the ZIP",
  download: "Download",
};
