// The lines of .env that a person's answers make. Pure.

const ID = /^\d{1,10}$/;
const HASH = /^[0-9a-f]{32}$/i;
const CHANNEL = /^(-?\d{5,}|@?[a-z]\w{3,}|https:\/\/t\.me\/.+)$/i;
const TOKEN = /^\d{5,}:[\w-]{30,}$/;

// `answers`: { id, hash, make, channel, account, bots, tokens }; what is not there yet is shown as an ellipsis.
export function lines({ id, hash, make, channel, bots, tokens }) {
  return [
    "DATA_DIR=telegram-data",
    `TELEGRAM_API_ID=${id || "…"}`,
    `TELEGRAM_API_HASH=${hash || "…"}`,
    `TELEGRAM_CHANNEL=${quoted(make ? `create:${channel || "…"}` : channel || "…")}`,
    ...(bots ? [`TELEGRAM_BOT_TOKENS=${tokens.join(",") || "…"}`] : []),
  ];
}

// Whether Stowgram could start with them.
export function complete({ id, hash, make, channel, account, bots, tokens }) {
  const channelWell = make ? Boolean(channel) && account : CHANNEL.test(channel);
  const botsWell = !bots || (tokens.length > 0 && tokens.every((token) => TOKEN.test(token)));
  return ID.test(id) && HASH.test(hash) && channelWell && botsWell && (account || bots);
}

// In .env a value with spaces or # stands in quotes.
const quoted = (value) => (/[\s#'"\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value);
