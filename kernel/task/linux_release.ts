/**
 * The Linux version that programs see: uname(2), /proc/version, the vDSO's
 * notes. We follow a long-term release whose interfaces we aim for.
 * @module
 */
export const LINUX_RELEASE = "6.12.0-runsc";
export const LINUX_VERSION = "#1 SMP";
