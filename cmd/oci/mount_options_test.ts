import { assertEquals } from "@std/assert";
import {
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
} from "../../kernel/abi/mount.ts";
import { parseMountOptions } from "./mount_options.ts";

Deno.test("parseMountOptions() separates flags from the file system's options", () => {
  assertEquals(
    parseMountOptions(["nosuid", "mode=1777", "noexec", "newinstance"]),
    {
      flags: MS_NOSUID | MS_NOEXEC,
      isBind: false,
      data: { mode: "1777", newinstance: "" },
    },
  );
});

Deno.test("parseMountOptions() lets the later of two opposite flags win", () => {
  assertEquals(parseMountOptions(["ro", "rw"]).flags, 0);
  assertEquals(parseMountOptions(["dev", "nodev"]).flags, MS_NODEV);
});

Deno.test("parseMountOptions() knows bind mounts, recursive flags, propagation", () => {
  assertEquals(parseMountOptions(["rbind", "rro", "rprivate"]), {
    flags: MS_RDONLY,
    isBind: true,
    data: {},
  });
});
