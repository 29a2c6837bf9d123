import { assertEquals, assertRejects } from "@std/assert";
import { AsyncReceiver } from "./async_receiver.ts";
import { AsyncStreams } from "./async_stream.ts";
import { DescriptorMaker } from "./files.ts";
import { GoferChannels } from "./gofer_channel.ts";

const encoder = new TextEncoder();

Deno.test("AsyncStreams carry bytes through a pipe to its end", async () => {
  using descriptors = new DescriptorMaker();
  const streams = new AsyncStreams();
  const [read, write] = descriptors.pipe();
  const long = "x".repeat(200_000);
  const writer = streams.writable(write).getWriter();
  const written = writer.write(encoder.encode(long))
    .then(() => writer.close());
  const text = await new Response(streams.readable(read)).text();
  await written;
  assertEquals(text === long, true);
});

Deno.test("AsyncStreams.writable() fails when the reader is gone", async () => {
  using descriptors = new DescriptorMaker();
  const [read, write] = descriptors.pipe();
  descriptors.close(read);
  const writer = new AsyncStreams().writable(write).getWriter();
  await assertRejects(() => writer.write(encoder.encode("x")), Error, "EPIPE");
});

Deno.test("AsyncStreams.readable() may be cancelled while it waits", async () => {
  using descriptors = new DescriptorMaker();
  const [read, write] = descriptors.pipe();
  const reader = new AsyncStreams().readable(read).getReader();
  const pending = reader.read();
  await reader.cancel();
  assertEquals((await pending).done, true);
  descriptors.close(write); // lets the waiting thread go
});

Deno.test("AsyncReceiver.receive() gives messages, then null", async () => {
  using channels = new GoferChannels();
  using descriptors = new DescriptorMaker();
  using receiver = new AsyncReceiver();
  const [ours, theirs] = channels.pair();
  const pending = receiver.receive(ours, 16);
  const message = encoder.encode("message");
  channels.send(theirs, message, message.length, []);
  assertEquals(await pending, message);
  channels.send(theirs, new Uint8Array(17), 17, []);
  await assertRejects(() => receiver.receive(ours, 16), RangeError);
  descriptors.close(theirs);
  assertEquals(await receiver.receive(ours, 16), null);
  descriptors.close(ours);
});
