import { assertEquals } from "@std/assert";
import { major, makedev, minor } from "./dev.ts";

Deno.test("makedev() packs as new_encode_dev does", () => {
  assertEquals(makedev(1, 3), 0x103); // /dev/null
  assertEquals(makedev(136, 0), 0x8800); // /dev/pts/0
  assertEquals(makedev(8, 0x12345), 0x12300845);
  assertEquals(makedev(0xfff, 0xfffff), 0xffffffff);
});

Deno.test("major() and minor() take apart what makedev() packed", () => {
  for (const [maj, min] of [[0, 1], [5, 2], [0xfff, 0xfffff], [7, 256]]) {
    const dev = makedev(maj ?? 0, min ?? 0);
    assertEquals([major(dev), minor(dev)], [maj, min]);
  }
});
