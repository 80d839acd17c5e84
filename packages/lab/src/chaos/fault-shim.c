/*
 * Preloaded into one server process: moves its wall clock, and makes writes and syncs below a folder named "journal"
 * fail. The orders stand in a file that the campaign writes (LAB_SHIM_ORDERS), mapped into memory.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct orders {
  volatile int64_t clock_ms;   /* added to the wall clock */
  volatile int64_t disk_full;  /* 1: writes to the journal fail with ENOSPC */
  volatile int64_t sync_fails; /* so many syncs of the journal fail with EIO; -1: all */
  volatile int64_t refused;    /* how many calls were refused */
};

static struct orders none;
static struct orders *orders = &none;

__attribute__((constructor)) static void map_orders(void) {
  const char *path = getenv("LAB_SHIM_ORDERS");
  if (path == NULL) return;
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) orders = mapped;
  close(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t id, struct timespec *now) {
  static __typeof__(&clock_gettime) real;
  if (real == NULL) real = REAL(clock_gettime);
  int result = real(id, now);
  int64_t ms = orders->clock_ms;
  if (result == 0 && ms != 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
    int64_t nanos = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + ms * 1000000;
    now->tv_sec = nanos / 1000000000;
    now->tv_nsec = nanos % 1000000000;
  }
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec time;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &time) != 0) return -1;
  now->tv_sec = time.tv_sec;
  now->tv_usec = time.tv_nsec / 1000;
  return 0;
}

static int in_journal(int file) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, "/journal/") != NULL;
}

static int full(int file) {
  if (orders->disk_full == 0 || !in_journal(file)) return 0;
  __sync_fetch_and_add(&orders->refused, 1);
  errno = ENOSPC;
  return 1;
}

static int sync_fails(int file) {
  if (orders->sync_fails == 0 || !in_journal(file)) return 0;
  if (orders->sync_fails > 0) __sync_fetch_and_sub(&orders->sync_fails, 1);
  __sync_fetch_and_add(&orders->refused, 1);
  errno = EIO;
  return 1;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) { return full(file) ? -1 : REAL(pwrite64)(file, bytes, count, at); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { return full(file) ? -1 : REAL(pwrite)(file, bytes, count, at); }
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) { return full(file) ? -1 : REAL(pwritev64)(file, parts, count, at); }
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) { return full(file) ? -1 : REAL(pwritev)(file, parts, count, at); }
int fdatasync(int file) { return sync_fails(file) ? -1 : REAL(fdatasync)(file); }
int fsync(int file) { return sync_fails(file) ? -1 : REAL(fsync)(file); }
