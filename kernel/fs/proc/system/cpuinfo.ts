/**
 * /proc/cpuinfo: what the host says of one CPU, for each of ours; they are one
 * package without hyper-threads. Source: proc_cpuinfo(5).
 * @module
 */
import type { HostInfo } from "../../../host.ts";

/** A value per line that differs between the CPUs, or counts them. */
function valueOf(key: string, cpu: number, count: number): string | null {
  switch (key) {
    case "processor":
    case "core id":
    case "apicid":
    case "initial apicid":
      return `${cpu}`;
    case "physical id":
      return "0";
    case "siblings":
    case "cpu cores":
      return `${count}`;
    default:
      return null;
  }
}

export function cpuinfo(info: HostInfo): string {
  const lines = info.cpuinfo.trimEnd().split("\n");
  let text = "";
  for (let cpu = 0; cpu < info.cpuCount; cpu++) {
    for (const line of lines) {
      const colon = line.indexOf(":");
      const key = line.slice(0, colon).trimEnd();
      const value = colon < 0 ? null : valueOf(key, cpu, info.cpuCount);
      text += value === null ? line : `${line.slice(0, colon)}: ${value}`;
      text += "\n";
    }
    text += "\n";
  }
  return text;
}
