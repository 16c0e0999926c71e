// What kind of thing a node is, by its media type, else by its name. Pure.

const BY_ENDING = {
  archive: "zip 7z rar tar gz tgz bz2 xz zst iso dmg jar",
  code: "js mjs ts py c h cpp hpp rs go java rb php sh css html xml json yaml yml toml sql",
  text: "txt md log csv tsv ini conf srt vtt nfo tex rst",
  image: "png jpg jpeg gif webp avif bmp svg heic tif tiff",
  video: "mp4 m4v webm mkv mov avi ogv",
  audio: "mp3 m4a ogg oga opus flac wav aac",
};
const KINDS = new Map(Object.entries(BY_ENDING).flatMap(([kind, all]) => all.split(" ").map((one) => [one, kind])));

const ending = (name) => name.slice(name.lastIndexOf(".") + 1).toLowerCase();
const mediaType = (node) => (node.media_type ?? "").split(";")[0].trim().toLowerCase();

// "folder", "image", "video", "audio", "archive", "code", "text" or "file": the name of its picture, too.
export function kindOf(node) {
  if (node.kind === "folder") return "folder";
  const [main] = mediaType(node).split("/");
  return KINDS.get(ending(node.name)) ?? (["image", "video", "audio", "text"].includes(main) ? main : "file");
}

// How a file can be looked at: "image", "video", "audio", "text", or null when it has to be downloaded. What may be shown
// as it is, the server decides.
export function previewOf(node) {
  if (node.kind === "folder") return null;
  const type = mediaType(node);
  if (node.inline) return type.split("/")[0];
  return type.startsWith("text/") || ["text", "code"].includes(KINDS.get(ending(node.name))) ? "text" : null;
}

// How many characters of a name are its own, without the ending that says its kind.
export function stemLength(node) {
  const dot = node.name.lastIndexOf(".");
  return node.kind === "file" && dot > 0 ? dot : node.name.length;
}
