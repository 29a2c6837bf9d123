/**
 * Sets of CPUs as proc and sysfs write them (cpuset(7), "Formats").
 * @module
 */

/** A mask of `count` CPUs in hexadecimal, a comma between words of 32; `bits`
 * null: all of them. */
export function cpuMask(count: number, bits: Uint8Array | null): string {
  let text = "";
  for (let first = 0; first < count; first += 32) {
    const inWord = Math.min(32, count - first);
    let word = 0;
    for (let cpu = first; cpu < first + inWord; cpu++) {
      const byte = bits === null ? 0xff : bits[cpu >> 3] ?? 0;
      if ((byte & (1 << (cpu & 7))) !== 0) word += 2 ** (cpu - first);
    }
    const digits = word.toString(16).padStart(Math.ceil(inWord / 4), "0");
    text = text === "" ? digits : `${digits},${text}`;
  }
  return text;
}

/** The same as ranges: "0-3,8". */
export function cpuList(count: number, bits: Uint8Array | null): string {
  const ranges: string[] = [];
  let from = -1;
  for (let cpu = 0; cpu <= count; cpu++) {
    const byte = bits === null ? 0xff : bits[cpu >> 3] ?? 0;
    const isSet = cpu < count && (byte & (1 << (cpu & 7))) !== 0;
    if (isSet && from < 0) from = cpu;
    if (isSet || from < 0) continue;
    ranges.push(from === cpu - 1 ? `${from}` : `${from}-${cpu - 1}`);
    from = -1;
  }
  return ranges.join(",");
}
