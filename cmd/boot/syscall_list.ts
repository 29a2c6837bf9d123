/**
 * The table of system calls that this kernel has, for `runsc help syscalls`.
 * It is made from the definitions themselves.
 * @module
 */
import { SYSCALL_NAMES } from "../../kernel/arch/x64/syscall_table.ts";
import { SYSCALLS } from "../../kernel/syscalls/table.ts";

export type ListFormat = "table" | "json" | "csv";

export interface SyscallRow {
  readonly number: number;
  readonly name: string;
  readonly support: "full" | "partial" | "none";
  /** What is missing from a partial one. */
  readonly note: string;
}

/** All x86-64 calls, by number. */
export function syscallRows(): SyscallRow[] {
  const rows: SyscallRow[] = [];
  for (const [number, name] of SYSCALL_NAMES.entries()) {
    if (name === undefined) continue;
    const support = SYSCALLS[number]?.support;
    if (support === undefined) {
      rows.push({ number, name, support: "none", note: "" });
    } else if (support === "full") {
      rows.push({ number, name, support: "full", note: "" });
    } else {
      rows.push({ number, name, support: "partial", note: support.partial });
    }
  }
  return rows;
}

function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The rows as text. */
export function formatSyscalls(
  rows: readonly SyscallRow[],
  format: ListFormat,
): string {
  switch (format) {
    case "json":
      return JSON.stringify(rows, null, 2);
    case "csv":
      return [
        "number,name,support,note",
        ...rows.map(({ number, name, support, note }) =>
          [number, name, support, csvField(note)].join(",")
        ),
      ].join("\n");
    case "table": {
      const count = (kind: string) =>
        rows.filter(({ support }) => support === kind).length;
      return [
        ...rows.map(({ number, name, support, note }) =>
          `${String(number).padStart(4)}  ${name.padEnd(24)}  ${
            support.padEnd(8)
          }${note}`.trimEnd()
        ),
        `${count("full")} full, ${count("partial")} partial, ${
          count("none")
        } not there`,
      ].join("\n");
    }
  }
}
