/**
 * /proc/version and what names the kernel. Source: proc_version(5).
 * @module
 */
import { LINUX_RELEASE, LINUX_VERSION } from "../../../task/linux_release.ts";

export function version(): string {
  return `Linux version ${LINUX_RELEASE} (runsc@runsc) ${LINUX_VERSION}\n`;
}
