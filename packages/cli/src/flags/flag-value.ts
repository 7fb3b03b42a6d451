import type { FlagInfo } from "@implicit-rank/experiment-kit";

/** Whether a flag is on when it is given alone. */
export function isSwitch(flag: FlagInfo): boolean {
  return flag.type === "boolean" && !flag.repeatable;
}

/** What a flag takes, for the help and for messages: "integer", "checkerboard|half", "path". */
export function valueName(flag: FlagInfo): string {
  if (flag.choices) return flag.choices.join("|");
  if (flag.type === "boolean") return "true|false";
  if (flag.type !== "string") return flag.type;
  return /(_dir|_path|_checkpoint)$/.test(flag.name) ? "path" : "text";
}
