/** Programs that have of everything a process can have. */
import type { Workload } from './workloads.ts';

const STATE = ['sh', '-c', 'until [ -e /work/state ]; do sleep 0.1; done; sleep 1; cat /work/state'];
const NEXT_STATE = [
  'sh',
  '-c',
  'rm /work/state; until [ -e /work/state ]; do sleep 0.1; done; cat /work/state',
];

const PARTS = `
import fcntl, json, mmap, os, signal, socket, threading, time
os.makedirs("/work")
deleted = open("/work/deleted", "w+"); deleted.write("kept"); deleted.flush(); os.unlink("/work/deleted")
lock = open("/work/lock", "w"); fcntl.lockf(lock, fcntl.LOCK_EX)
open("/dev/shm/x", "w").write("shm")
shared = mmap.mmap(-1, 1 << 20); shared[:5] = b"hello"
pipe_out, pipe_in = os.pipe()
ours, theirs = socket.socketpair()
listening = socket.socket(socket.AF_UNIX); listening.bind("/work/sock"); listening.listen(5)
def serve():
    while True:
        peer, _ = listening.accept(); peer.sendall(b"pong"); peer.close()
threading.Thread(target=serve, daemon=True).start()
ticks = 0
def tick(*_):
    global ticks
    ticks += 1
signal.signal(signal.SIGALRM, tick); signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
if os.fork() == 0:
    ours.close(); os.close(pipe_in); signal.setitimer(signal.ITIMER_REAL, 0)
    count = 0
    while True:
        some = os.read(pipe_out, 100)
        if not some: os._exit(1)
        count += len(some); shared[10:11] = b"!"; theirs.sendall(str(count).encode() + b"\\n")
theirs.close(); os.close(pipe_out)
lines = ours.makefile("r"); sent = 0
while True:
    before = ticks
    os.write(pipe_in, b"12345"); sent += 5
    got = int(lines.readline())
    deleted.seek(0)
    peer = socket.socket(socket.AF_UNIX); peer.connect("/work/sock"); pong = peer.recv(10); peer.close()
    time.sleep(0.12)
    state = {"pipe": got == sent, "deleted": deleted.read(), "shared": bytes(shared[:11]).hex(), "shm": open("/dev/shm/x").read(), "socket": pong.decode(), "timer": ticks > before}
    open("/work/state.new", "w").write(json.dumps(state)); os.rename("/work/state.new", "/work/state")
`;

/** Two processes and threads with a pipe, unix sockets, a lock, a deleted file, a timer, shared memory and a tmpfs. */
export const parts: Workload = {
  name: 'processes with pipes, sockets, locks, timers and deleted files',
  image: 'python:v1',
  argv: ['python3', '-c', PARTS],
  prepare: STATE,
  check: NEXT_STATE,
};

const DESCRIPTORS = `
import ctypes, fcntl, json, mmap, os, select, signal, struct, time
from multiprocessing import shared_memory
libc = ctypes.CDLL(None, use_errno=True)
def ok(result):
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
os.makedirs("/work/watched")
poll = select.epoll()
event = os.eventfd(0, os.EFD_NONBLOCK)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
mask = (ctypes.c_ulong * 16)(1 << (signal.SIGUSR1 - 1))
signals = ok(libc.signalfd(-1, mask, os.O_NONBLOCK))
timer = ok(libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK))
ok(libc.timerfd_settime(timer, 0, struct.pack("qqqq", 0, 10**7, 0, 10**7), None))
watch = ok(libc.inotify_init1(os.O_NONBLOCK)); ok(libc.inotify_add_watch(watch, b"/work/watched", 0x100))
names = {event: "event", signals: "signal", timer: "timer", watch: "watch"}
for fd in names: poll.register(fd, select.EPOLLIN)
memory = os.memfd_create("mine", os.MFD_ALLOW_SEALING); os.write(memory, b"kept"); fcntl.fcntl(memory, 1033, 2)
shared = shared_memory.SharedMemory(create=True, size=1 << 20); shared.buf[:5] = b"hello"
queue = ok(libc.msgget(77, 0o1600)); ok(libc.msgsnd(queue, struct.pack("q", 1) + b"waiting", 7, 0))
semaphores = ok(libc.semget(78, 2, 0o1600)); ok(libc.semctl(semaphores, 0, 16, 5))
lower = open("/etc/passwd"); lower.read(); length = lower.tell(); os.unlink("/etc/passwd")
os.replace("/usr/lib/os-release", "/work/os-release"); name = open("/work/os-release", "rb")
mapped = mmap.mmap(name.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE); name.close(); os.unlink("/work/os-release")
large = open("/work/large", "w+b"); large.write(b"large" * 10**6); large.flush(); os.unlink("/work/large")
child = os.fork()
if child == 0:
    while True: time.sleep(60)
process = os.pidfd_open(child)
while True:
    os.eventfd_write(event, 7); os.kill(os.getpid(), signal.SIGUSR1); open("/work/watched/%f" % time.time(), "w").close()
    seen = set()
    for tries in range(100):
        if len(seen) < len(names): seen.update(names[fd] for fd, _ in poll.poll(0.1))
    for fd in names:
        try: os.read(fd, 8192)
        except BlockingIOError: pass
    message = ctypes.create_string_buffer(64); size = ok(libc.msgrcv(queue, message, 56, 1, os.O_NONBLOCK))
    ok(libc.msgsnd(queue, struct.pack("q", 1) + b"waiting", 7, 0))
    signal.pidfd_send_signal(process, 0)
    lower.seek(0); large.seek(0)
    state = {"seen": sorted(seen), "memory": [os.pread(memory, 9, 0).decode(), fcntl.fcntl(memory, 1034)], "shared": bytes(shared.buf[:5]).decode(), "message": message.raw[8:8 + size].decode(), "semaphore": libc.semctl(semaphores, 0, 12), "lower": len(lower.read()) == length, "mapped": bytes(mapped[:11]).decode(), "large": large.read() == b"large" * 10**6}
    open("/work/state.new", "w").write(json.dumps(state)); os.rename("/work/state.new", "/work/state")
    time.sleep(0.1)
`;

/** What descriptors can be, memory and queues that have names, and files that were deleted: of the image, mapped, and large. */
export const descriptors: Workload = {
  name: 'descriptors of all kinds',
  image: 'python:v1',
  argv: ['python3', '-c', DESCRIPTORS],
  prepare: STATE,
  check: NEXT_STATE,
};
