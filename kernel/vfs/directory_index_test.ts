import { assertEquals } from "@std/assert";
import { DirectoryIndex, FIRST_COOKIE } from "./directory_index.ts";

/** Lists `count` names from a cookie on; the names and the next cookie. */
function list(
  index: DirectoryIndex<number>,
  cookie: number,
  count: number,
): [string[], number] {
  const names: string[] = [];
  let next = cookie;
  index.list(cookie, (name, _value, after) => {
    if (names.length === count) return false;
    names.push(name);
    next = after;
    return true;
  });
  return [names, next];
}

Deno.test("DirectoryIndex lists every name that stays exactly once", () => {
  const index = new DirectoryIndex<number>();
  for (let i = 0; i < 100; i++) index.set(`n${i}`, i);
  const seen = new Set<string>();
  let cookie = FIRST_COOKIE;
  for (let round = 0;; round++) {
    const [names, next] = list(index, cookie, 7);
    if (names.length === 0) break;
    for (const name of names) {
      assertEquals(seen.has(name), false, name);
      seen.add(name);
    }
    cookie = next;
    // Odd names go while the listing is under way, and new ones come.
    for (let i = 1; i < 100; i += 2) {
      if (i % 14 === round) index.delete(`n${i}`);
    }
    if (round < 3) index.set(`new${round}`, round);
  }
  for (let i = 0; i < 100; i += 2) assertEquals(seen.has(`n${i}`), true);
  assertEquals(seen.has("new2"), true);
});

Deno.test("DirectoryIndex replaces a value in its place", () => {
  const index = new DirectoryIndex<number>();
  index.set("a", 1);
  index.set("b", 2);
  index.set("a", 3);
  assertEquals([...index.values()], [3, 2]);
  assertEquals(index.delete("a"), true);
  assertEquals(index.delete("a"), false);
  assertEquals([...index.names()], ["b"]);
});

Deno.test("DirectoryIndex forgets removed entries in the end", () => {
  const index = new DirectoryIndex<number>();
  for (let i = 0; i < 10_000; i++) {
    index.set("same", i);
    index.delete("same");
  }
  index.set("last", 1);
  assertEquals(index.size, 1);
  assertEquals(list(index, FIRST_COOKIE, 9)[0], ["last"]);
});
