/**
 * /proc/meminfo and vmstat. All memory is the memory file's; there is no swap.
 * Source: proc_meminfo(5), proc_vmstat(5).
 * @module
 */
import { PAGE_SIZE } from "../../../abi/mman.ts";
import type { KernelServices } from "../../../task/kernel_services.ts";
import { kilobytes } from "../format.ts";
import type { ProcRoot } from "../proc_root.ts";

/** Bytes of memory in all, and not in use. */
export function memoryTotals(
  kernel: KernelServices,
): { readonly total: number; readonly free: number } {
  const total = kernel.host.info.memoryBytes;
  const { memory } = kernel.host;
  const used = memory.residentBytes(0, memory.size);
  const free = Math.max(0, total - used);
  return { total, free };
}

/** Private pages of all processes, bytes; a shared one counts once per user. */
function anonymousBytes({ kernel, facts }: ProcRoot): number {
  const seen = new Set<object>();
  let bytes = 0;
  for (const task of kernel.rootPidNamespace.tasks()) {
    if (task.state === "dead" || seen.has(task.memory)) continue;
    seen.add(task.memory);
    bytes += facts.resident.bytesOf(task.memory);
  }
  return bytes;
}

export function meminfo(root: ProcRoot): string {
  const { total, free } = memoryTotals(root.kernel);
  const used = total - free;
  const anonymous = Math.min(used, anonymousBytes(root));
  // What is not private belongs to files: page cache and tmpfs.
  const cached = used - anonymous;
  const row = (name: string, bytes: number) =>
    kilobytes(`${name}:`.padEnd(16), bytes);
  return row("MemTotal", total) +
    row("MemFree", free) +
    row("MemAvailable", free) +
    row("Buffers", 0) +
    row("Cached", cached) +
    row("SwapCached", 0) +
    row("Active", used) +
    row("Inactive", 0) +
    row("Active(anon)", anonymous) +
    row("Inactive(anon)", 0) +
    row("Active(file)", cached) +
    row("Inactive(file)", 0) +
    row("Unevictable", 0) +
    row("Mlocked", 0) +
    row("SwapTotal", 0) +
    row("SwapFree", 0) +
    row("Dirty", 0) +
    row("Writeback", 0) +
    row("AnonPages", anonymous) +
    row("Mapped", 0) +
    row("Shmem", 0);
}

/** /proc/vmstat, as far as this kernel counts: pages of memory, and what went
 * to disks and swap, of which there are none. */
export function vmstat(root: ProcRoot): string {
  const { total, free } = memoryTotals(root.kernel);
  const used = total - free;
  const anonymous = Math.min(used, anonymousBytes(root));
  const pages = (bytes: number) => Math.floor(bytes / PAGE_SIZE);
  return `nr_free_pages ${pages(free)}\n` +
    `nr_anon_pages ${pages(anonymous)}\n` +
    `nr_file_pages ${pages(used - anonymous)}\n` +
    "pgpgin 0\n" +
    "pgpgout 0\n" +
    "pswpin 0\n" +
    "pswpout 0\n";
}
