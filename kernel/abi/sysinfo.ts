/**
 * struct sysinfo, and the types of syslog(2).
 *
 * Source: uapi linux/sysinfo.h; sysinfo(2), syslog(2).
 * @module
 */

// Load averages are fixed point with this many bits.
export const SI_LOAD_SHIFT = 16;

/** Size of struct sysinfo in bytes. */
export const SYSINFO_SIZE = 112;

/** Byte offsets of the fields of struct sysinfo. */
export const SYSINFO = {
  uptime: 0,
  loads: 8,
  totalram: 32,
  freeram: 40,
  sharedram: 48,
  bufferram: 56,
  totalswap: 64,
  freeswap: 72,
  procs: 80,
  totalhigh: 88,
  freehigh: 96,
  mem_unit: 104,
} as const;

// Types of syslog(2).
export const SYSLOG_ACTION_CLOSE = 0;
export const SYSLOG_ACTION_OPEN = 1;
export const SYSLOG_ACTION_READ = 2;
export const SYSLOG_ACTION_READ_ALL = 3;
export const SYSLOG_ACTION_READ_CLEAR = 4;
export const SYSLOG_ACTION_CLEAR = 5;
export const SYSLOG_ACTION_CONSOLE_OFF = 6;
export const SYSLOG_ACTION_CONSOLE_ON = 7;
export const SYSLOG_ACTION_CONSOLE_LEVEL = 8;
export const SYSLOG_ACTION_SIZE_UNREAD = 9;
export const SYSLOG_ACTION_SIZE_BUFFER = 10;
