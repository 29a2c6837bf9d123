import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { makedev, MEM_MAJOR } from "../../abi/dev.ts";
import {
  EINVAL,
  ENODEV,
  ENOMEM,
  ENOSPC,
  ENXIO,
  isErrno,
} from "../../abi/errno.ts";
import { O_RDWR } from "../../abi/fcntl.ts";
import { S_IFCHR } from "../../abi/stat.ts";
import { DeviceRegistry } from "../../vfs/device_registry.ts";
import { Inode } from "../../vfs/inode.ts";
import { AnonInodes } from "../anon_inode.ts";
import { FakeCaller } from "../fake_caller.ts";
import {
  FULL_DEVICE,
  NULL_DEVICE,
  registerMemoryDevices,
  URANDOM_DEVICE,
  ZERO_DEVICE,
} from "./memory_devices.ts";

class DeviceInode extends Inode {}

function setUp() {
  const caller = new FakeCaller();
  const devices = new DeviceRegistry();
  registerMemoryDevices(devices, {
    randomBytes: (into) => into.fill(0x72),
    zeroPages: () => ENOMEM,
  });
  const fs = new AnonInodes({ device: 1, clock: caller.clock });
  const open = (rdev: number) => {
    const inode = new DeviceInode(fs, 9, S_IFCHR | 0o666, { sec: 0, nsec: 0 });
    const place = fs.place(inode, "device");
    return devices.open(S_IFCHR, place, rdev, O_RDWR, caller);
  };
  const opened = (rdev: number) => {
    const file = open(rdev);
    assert(!isErrno(file));
    return file;
  };
  return { caller, open, opened };
}

Deno.test("/dev/null swallows writes and reads as empty", () => {
  const { caller, opened } = setUp();
  const file = opened(NULL_DEVICE);
  assertEquals(file.write(caller.source("gone"), caller), 4);
  assertEquals(file.read(caller.room(4), caller), 0);
  assertEquals(file.writeAt(caller.source("gone"), 100, caller), 4);
  assertEquals(file.seek(100, 0), 0);
  assertStrictEquals(file.mappable(), ENODEV);
});

Deno.test("/dev/zero and /dev/full read as zeros; full has no space", () => {
  const { caller, opened } = setUp();
  caller.host.bytes.fill(7, 1 << 19, (1 << 19) + 8);
  assertEquals(opened(ZERO_DEVICE).read(caller.room(8), caller), 8);
  assertEquals(caller.text(8), "\0".repeat(8));
  const full = opened(FULL_DEVICE);
  assertEquals(full.read(caller.room(8), caller), 8);
  assertStrictEquals(full.write(caller.source("x"), caller), ENOSPC);
});

Deno.test("/dev/urandom passes on the host's bytes, however many", () => {
  const { caller, opened } = setUp();
  const file = opened(URANDOM_DEVICE);
  assertEquals(file.read(caller.room(10000), caller), 10000);
  assertEquals(caller.text(10000), "r".repeat(10000));
  assertEquals(file.ioctl(0x80045200, 64, caller), 0);
  assertEquals(caller.memory.readU32(64), 256);
  assertStrictEquals(file.ioctl(0x5206, 0, caller), EINVAL);
});

Deno.test("A memory device that does not exist is ENXIO", () => {
  assertStrictEquals(setUp().open(makedev(MEM_MAJOR, 1)), ENXIO);
});
