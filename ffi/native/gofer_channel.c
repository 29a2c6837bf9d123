/*
 * gofer_channel.c: whole messages with descriptors over a SOCK_SEQPACKET
 * connection, both ends. Bound by ffi/gofer_channel.ts.
 *
 *   result   >= 0 on success, -errno on failure
 *   waiting  a receive first asks again and again for spin_us microseconds
 *            (waking a sleeping process on another CPU costs more), then sleeps
 *   fds      received ones are close-on-exec; the receiver owns them
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { MAX_FDS = 5 };

union control {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
};

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

EXPORT int rsg_channel_pair(int32_t out[2]) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return -errno;
  out[0] = ends[0];
  out[1] = ends[1];
  return 0;
}

/* Sends one message with `count` <= MAX_FDS descriptors. -EPIPE, -ECONNRESET:
 * the other end is gone. */
EXPORT int rsg_channel_send(int channel, const void *data, int length,
                            const int32_t *fds, int count) {
  struct iovec part = {.iov_base = (void *)(uintptr_t)data,
                       .iov_len = (size_t)length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  union control control;
  if (count < 0 || count > MAX_FDS)
    return -EINVAL;
  if (count > 0) {
    size_t bytes = (size_t)count * sizeof(int);
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(bytes);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(header), fds, bytes);
  }
  ssize_t sent;
  do
    sent = sendmsg(channel, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

/* Takes descriptors out of a received message; returns how many. */
static int take_fds(struct msghdr *message, int32_t fds[MAX_FDS]) {
  int count = 0;
  for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL;
       at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
      continue;
    size_t bytes = at->cmsg_len - CMSG_LEN(0);
    for (size_t i = 0; i + sizeof(int) <= bytes; i += sizeof(int)) {
      int fd;
      memcpy(&fd, CMSG_DATA(at) + i, sizeof fd);
      if (count < MAX_FDS)
        fds[count++] = fd;
      else
        close(fd);
    }
  }
  return count;
}

/* Receives one message. Returns its length, 0 when the other end has closed;
 * stores the number of descriptors, then the descriptors: fewer than were sent
 * if there were more than MAX_FDS, or if this process may not have more.
 * -EMSGSIZE: longer than `size`; -EAGAIN: `no_wait` and nothing there. */
EXPORT int rsg_channel_receive(int channel, void *into, int size,
                               int32_t fds[1 + MAX_FDS], int spin_us,
                               int no_wait) {
  struct iovec part = {.iov_base = into, .iov_len = (size_t)size};
  union control control;
  struct msghdr message;
  ssize_t got;
  int64_t deadline = spin_us > 0 ? now_us() + spin_us : 0;
  int flags = MSG_CMSG_CLOEXEC | (no_wait || spin_us > 0 ? MSG_DONTWAIT : 0);
  for (;;) {
    memset(&message, 0, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    got = recvmsg(channel, &message, flags);
    if (got >= 0)
      break;
    if (errno == EINTR)
      continue;
    if (errno != EAGAIN || no_wait)
      return -errno;
    if (now_us() >= deadline)
      flags &= ~MSG_DONTWAIT;
  }
  fds[0] = take_fds(&message, fds + 1);
  if (message.msg_flags & MSG_TRUNC) {
    for (int i = 0; i < fds[0]; i++)
      close(fds[1 + i]);
    fds[0] = 0;
    return -EMSGSIZE;
  }
  return (int)got;
}

/* Waits until one of the channels has a message or its end; its index. */
EXPORT int rsg_channel_wait(const int32_t *channels, int count, int start,
                            int spin_us) {
  struct pollfd set[64];
  if (count <= 0 || count > 64)
    return -EINVAL;
  for (int i = 0; i < count; i++)
    set[i] = (struct pollfd){.fd = channels[i], .events = POLLIN};
  int64_t deadline = spin_us > 0 ? now_us() + spin_us : 0;
  int ready;
  do {
    ready = poll(set, (nfds_t)count,
                 spin_us > 0 && now_us() < deadline ? 0 : -1);
  } while (ready == 0 || (ready < 0 && errno == EINTR));
  if (ready < 0)
    return -errno;
  /* From `start` on, so that a busy channel can't starve the others. */
  for (int i = 0; i < count; i++) {
    int at = (start + i) % count;
    if (set[at].revents != 0)
      return at;
  }
  return -EIO;
}
