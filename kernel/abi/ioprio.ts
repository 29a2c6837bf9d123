/**
 * I/O priorities.
 *
 * Source: uapi linux/ioprio.h; ioprio_set(2).
 * @module
 */

// Classes.
export const IOPRIO_CLASS_NONE = 0;
export const IOPRIO_CLASS_RT = 1;
export const IOPRIO_CLASS_BE = 2;
export const IOPRIO_CLASS_IDLE = 3;

// Which.
export const IOPRIO_WHO_PROCESS = 1;
export const IOPRIO_WHO_PGRP = 2;
export const IOPRIO_WHO_USER = 3;

export const IOPRIO_CLASS_SHIFT = 13;
