/**
 * The number and string shapes that occur all over config.json, as the OCI
 * runtime specification's JSON schema (defs.json) bounds them. A 64-bit value
 * is any JSON number: RLIM_INFINITY is above what a double keeps exactly.
 * @module
 */
import * as z from "zod/mini";

export const uint32 = z.int().check(z.gte(0), z.lte(0xffffffff));
export const int32 = z.int().check(z.gte(-0x80000000), z.lte(0x7fffffff));
export const uint16 = z.int().check(z.gte(0), z.lte(0xffff));
/** Permission bits. */
export const fileMode = z.int().check(z.gte(0), z.lte(0o7777));
export const uint64 = z.number().check(z.gte(0));
export const int64 = z.number();
/** A path or a name: the kernel could not take a NUL byte. */
export const text = z.string().check(z.regex(/^[^\0]*$/));
/** An absolute path. */
export const absolutePath = z.string().check(z.regex(/^\/[^\0]*$/));
export const strings = z.array(text);
export const stringMap = z.record(z.string(), z.string());
