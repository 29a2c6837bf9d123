import { assert, assertEquals } from "@std/assert";
import { SIGKILL, SIGSEGV, SIGSTOP } from "./signal.ts";
import {
  W_EXITCODE,
  W_STOPCODE,
  W_TERMSIG,
  WCONTINUED_STATUS,
  WEXITSTATUS,
  WIFEXITED,
  WIFSIGNALED,
  WIFSTOPPED,
  WTERMSIG,
} from "./wait.ts";

Deno.test("W_EXITCODE() keeps the low byte of the code", () => {
  assertEquals(W_EXITCODE(0x1ff), 0xff00);
  assert(WIFEXITED(W_EXITCODE(7)));
  assertEquals(WEXITSTATUS(W_EXITCODE(7)), 7);
});

Deno.test("W_TERMSIG() encodes the signal and the core flag", () => {
  assertEquals(W_TERMSIG(SIGKILL, false), 9);
  assertEquals(W_TERMSIG(SIGSEGV, true), 0x8b);
  assert(WIFSIGNALED(W_TERMSIG(SIGSEGV, true)));
  assertEquals(WTERMSIG(W_TERMSIG(SIGSEGV, true)), SIGSEGV);
});

Deno.test("W_STOPCODE() is neither an exit nor a death", () => {
  const status = W_STOPCODE(SIGSTOP);
  assertEquals(status, 0x137f);
  assert(WIFSTOPPED(status));
  assert(!WIFEXITED(status) && !WIFSIGNALED(status));
});

Deno.test("WCONTINUED_STATUS is no exit, death or stop", () => {
  assert(!WIFEXITED(WCONTINUED_STATUS));
  assert(!WIFSIGNALED(WCONTINUED_STATUS));
  assert(!WIFSTOPPED(WCONTINUED_STATUS));
});
