/**
 * How proc reads numbers that programs write.
 * @module
 */
import { EINVAL, type Errno } from "../../abi/errno.ts";
import type { ByteString } from "../../mm/user_memory.ts";

/** A decimal, 0x or 0 (octal) integer between white space, as kstrtoint()
 * takes it. EINVAL. */
export function parseInteger(text: ByteString): number | Errno {
  const match =
    /^[ \t\n]*([+-]?)(?:0[xX]([0-9a-fA-F]{1,12})|0([0-7]{1,17})|(0|[1-9][0-9]{0,14}))[ \t\n\0]*$/
      .exec(text);
  if (match === null) return EINVAL;
  const [, sign, hexadecimal, octal, decimal] = match;
  const value = hexadecimal !== undefined
    ? parseInt(hexadecimal, 16)
    : octal !== undefined
    ? parseInt(octal, 8)
    : Number(decimal);
  return sign === "-" ? -value : value;
}

/** The number that a name stands for, or -1: no sign, no leading zeros. */
export function numberOf(name: ByteString): number {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(name) ? Number(name) : -1;
}
