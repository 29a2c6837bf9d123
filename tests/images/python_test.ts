/** Python: threads, processes, event loops, sockets, files. */
import { sameAsOnHost } from "./workload.ts";

function python(name: string, program: string): void {
  sameAsOnHost({
    name: `python3 ${name}`,
    needs: ["python3"],
    script: 'echo "$1" > program.py; python3 program.py',
    args: [program],
  });
}

python(
  "starts threads that share a lock, an event and a queue",
  `
import queue, threading
total, lock, go = 0, threading.Lock(), threading.Event()
tasks, done = queue.Queue(), queue.Queue()
def work():
    global total
    go.wait()
    for _ in range(1000):
        with lock: total += 1
    while (item := tasks.get()) is not None:
        done.put(item * item)
threads = [threading.Thread(target=work) for _ in range(8)]
for t in threads: t.start()
go.set()
for i in range(200): tasks.put(i)
for t in threads: tasks.put(None)
for t in threads: t.join()
print(total, sum(done.get() for _ in range(200)))
`,
);

python(
  "runs programs, pipes to them and sees how they end",
  `
import signal, subprocess, sys
run = subprocess.run
print(run(["echo", "x"], capture_output=True))
print(run(["cat"], input=b"text" * 50000, capture_output=True).stdout.count(b"t"))
print(run("exit 3", shell=True).returncode)
print(run(["sh", "-c", "kill -9 $$"]).returncode == -signal.SIGKILL)
try: run(["/nonexistent"])
except FileNotFoundError as e: print(e)
try: run(["sleep", "60"], timeout=0.05)
except subprocess.TimeoutExpired as e: print(e.cmd)
p = subprocess.Popen([sys.executable, "-c", "input(); print('hi')"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
print(p.communicate("\\n"), p.returncode)
`,
);

python(
  "shares work between processes",
  `
import multiprocessing as mp
def square(x): return x * x
def add(n, value, lock):
    for _ in range(n):
        with lock: value.value += 1
if __name__ == "__main__":
    for method in "fork", "spawn", "forkserver":
        context = mp.get_context(method)
        with context.Pool(3) as pool: print(method, pool.map(square, range(10)))
    value, lock = mp.Value("i", 0), mp.Lock()
    workers = [mp.Process(target=add, args=(500, value, lock)) for _ in range(3)]
    for w in workers: w.start()
    for w in workers: w.join()
    print(value.value, [w.exitcode for w in workers])
    here, there = mp.Pipe()
    child = mp.Process(target=lambda: there.send({"a": [1, 2]}))
    child.start(); print(here.recv()); child.join()
`,
);

python(
  "runs an event loop with timers, programs, servers and threads",
  `
import asyncio, socket
async def serve(reader, writer):
    writer.write((await reader.readline()).upper()); await writer.drain(); writer.close()
async def client(i):
    reader, writer = await asyncio.open_unix_connection("socket")
    writer.write(b"line %d\\n" % i)
    answer = await reader.read(); writer.close()
    return answer
async def main():
    print(await asyncio.gather(*[asyncio.sleep(0.001 * i, i) for i in range(5)]))
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print(await p.communicate(b"data"), p.returncode)
    async with await asyncio.start_unix_server(serve, "socket"):
        print(await asyncio.gather(*[client(i) for i in range(20)]))
    print(await asyncio.to_thread(sum, range(10)))
    try: await asyncio.wait_for(asyncio.Event().wait(), 0.01)
    except asyncio.TimeoutError: print("timeout")
asyncio.run(main())
`,
);

python(
  "passes bytes and descriptors through AF_UNIX sockets",
  `
import array, os, select, socket
a, b = socket.socketpair()
a.sendall(b"hello"); print(b.recv(3), b.recv(10))
r, w = os.pipe()
socket.send_fds(a, [b"fds"], [r, w])
data, fds, flags, _ = socket.recv_fds(b, 100, 5)
os.write(fds[1], b"through"); print(data, os.read(fds[0], 100))
d, e = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
d.send(b"one"); d.send(b"two"); print(e.recv(2), e.recv(10))
poll = select.epoll(); poll.register(b, select.EPOLLIN | select.EPOLLRDHUP)
print(poll.poll(0)); a.shutdown(socket.SHUT_WR); print(poll.poll(1)[0][1])
b.close()
try: a.send(b"x"); a.send(b"x")
except BrokenPipeError as error: print(error)
s = socket.socket(socket.AF_UNIX); s.bind("\\0w"); s.listen()
c = socket.socket(socket.AF_UNIX); c.connect("\\0w")
peer, _ = s.accept(); c.send(b"abstract"); print(peer.recv(100))
`,
);

python(
  "maps files, walks trees and locks",
  `
import fcntl, mmap, os, shutil, tempfile, time
with open("file", "w+b") as f:
    f.truncate(3 * 4096)
    with mmap.mmap(f.fileno(), 0) as m:
        m[4096:4100] = b"here"; m.flush()
        print(m.find(b"here"), f.read()[4096:4100])
os.makedirs("a/b/c"); os.symlink("../file", "a/link"); os.link("file", "a/hard")
shutil.copytree("a", "copy", symlinks=True)
for root, dirs, files in sorted(os.walk(".")): print(root, sorted(dirs), sorted(files))
print(os.stat("file").st_nlink, os.readlink("copy/link"), os.path.samefile("file", "a/hard"))
with open("lock", "w") as one, open("lock", "w") as two:
    fcntl.flock(one, fcntl.LOCK_EX)
    try: fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error: print(error)
os.utime("file", (1, 2)); print(os.stat("file").st_mtime)
os.setxattr("file", "user.name", b"value"); print(os.listxattr("file"))
shutil.rmtree("copy"); os.rename("a", "z"); print(sorted(os.listdir()))
`,
);

python(
  "takes signals, timers and resource limits",
  `
import os, resource, signal, time
seen = []
for s in signal.SIGUSR1, signal.SIGALRM, signal.SIGCHLD:
    signal.signal(s, lambda n, frame: seen.append(signal.Signals(n).name))
os.kill(os.getpid(), signal.SIGUSR1)
signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
if (pid := os.fork()) == 0: os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); print(seen)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
print(signal.sigpending(), signal.sigwaitinfo([signal.SIGUSR1]).si_signo)
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
try: print([os.dup(0) for _ in range(30)])
except OSError as error: print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
os.closerange(3, 20)
try: open("big", "wb").write(b"x" * 2000)
except OSError as error: print(error, os.path.getsize("big"))
`,
);
