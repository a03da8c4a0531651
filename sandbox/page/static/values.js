// Value formatting: thousands separators, times in UTC, units where a column has one.
const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

export function show(value, type, format, name) {
  if (value === null || value === undefined || value === "") return "";
  if (type === "datetime" && name === "Day") return value.slice(0, 10);
  if (type === "datetime") return `${value.slice(0, 10)} ${value.slice(11, 16)}`;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return brief(value.join(", "));
  if (typeof value === "object") return brief(JSON.stringify(value));
  if (typeof value !== "number") return brief(String(value));
  if (format === "percent") return `${value > 0 ? "+" : ""}${NUMBER.format(value)} %`;
  if (format === "bytes") return bytes(value);
  if (format === "days") return `${NUMBER.format(value)} d`;
  if (format === "hours") return `${NUMBER.format(value)} h`;
  return NUMBER.format(value);
}

function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1);
  return `${NUMBER.format(value / 1000 ** power)} ${units[power]}`;
}

const brief = (text) => (text.length > 90 ? `${text.slice(0, 88)}…` : text);

/** A column name as words: ActorEmail becomes Actor e-mail. */
export function words(name) {
  const parts = name.replace(/_/g, " ").replace(/([a-z0-9])([A-Z])/g, "$1 $2").split(" ").map((word) => word.toLowerCase());
  const text = parts.join(" ").replace(/\bemail\b/, "e-mail").replace(/\bip\b/, "address").replace(/\bid\b/, "id");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
