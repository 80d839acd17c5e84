/* Preloaded into a server: while the file named by DISK_FULL_WHILE exists, nothing more can be written to its database and its journal. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int full(int file) {
  const char *order = getenv("DISK_FULL_WHILE");
  if (order == NULL || access(order, F_OK) != 0) return 0;
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strstr(path, "evergrant.db") == NULL && strstr(path, "/journal/") == NULL) return 0;
  /* The lock beside the database and the shared index in memory need no room. */
  if (strstr(path, ".lock") != NULL || strstr(path, "-shm") != NULL) return 0;
  errno = ENOSPC;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *bytes, size_t count) { return full(file) ? -1 : REAL(write)(file, bytes, count); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { return full(file) ? -1 : REAL(pwrite)(file, bytes, count, at); }
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) { return full(file) ? -1 : REAL(pwrite64)(file, bytes, count, at); }
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) { return full(file) ? -1 : REAL(pwritev)(file, parts, count, at); }
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) { return full(file) ? -1 : REAL(pwritev64)(file, parts, count, at); }
int ftruncate(int file, off_t length) { return full(file) ? -1 : REAL(ftruncate)(file, length); }
int ftruncate64(int file, off64_t length) { return full(file) ? -1 : REAL(ftruncate64)(file, length); }
