/**
 * Results of benchmark scripts, one JSON object a line, and the table that is
 * made of those of several runtimes.
 * @module
 */

export interface Result {
  readonly runtime: string;
  readonly bench: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
}

/** The results in a script's output; a metric without samples has none. */
export function parseResults(text: string): Result[] {
  const results: Result[] = [];
  for (const line of text.split("\n")) {
    if (!line.startsWith("{")) continue;
    const { runtime, bench, metric, unit, median } = JSON.parse(line);
    if (typeof median === "number") {
      results.push({ runtime, bench, metric, unit, median });
    }
  }
  return results;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function short(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : value.toPrecision(3);
}

/** Markdown: a row per metric, a column per runtime, and our median divided by
 * that of each other runtime (below 1: ours is less). */
export function formatTable(
  results: readonly Result[],
  runtimes: readonly string[],
): string {
  const [ours = "", ...others] = runtimes;
  const rows = new Map<string, Map<string, number[]>>();
  for (const { runtime, bench, metric, unit, median } of results) {
    const name = `${bench} ${metric}, ${unit}`;
    const row = rows.getOrInsertComputed(name, () => new Map());
    row.getOrInsertComputed(runtime, () => []).push(median);
  }
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = [
    line(["median", ours, ...others.flatMap((other) => [other, "ratio"])]),
    line(["---", "---:", ...others.flatMap(() => ["---:", "---:"])]),
  ];
  for (const [name, row] of rows) {
    const value = (runtime: string) => {
      const samples = row.get(runtime);
      return samples === undefined ? null : median(samples);
    };
    const show = (number: number | null) =>
      number === null ? "-" : short(number);
    const own = value(ours);
    lines.push(line([
      name,
      show(own),
      ...others.flatMap((other) => {
        const theirs = value(other);
        const isComparable = own !== null && theirs !== null && theirs > 0;
        return [show(theirs), isComparable ? (own / theirs).toFixed(2) : "-"];
      }),
    ]));
  }
  return lines.join("\n");
}
