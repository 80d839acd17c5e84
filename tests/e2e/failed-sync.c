/* Preloaded into a server: while the file named by FAIL_SYNCS_WHILE exists, syncs of the database and its log fail as a dying disk's do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int file) {
  const char *order = getenv("FAIL_SYNCS_WHILE");
  if (order == NULL || access(order, F_OK) != 0) return 0;
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (strstr(path, "evergrant.db") == NULL) return 0;
  errno = EIO;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fdatasync(int file) { return fails(file) ? -1 : REAL(fdatasync)(file); }
int fsync(int file) { return fails(file) ? -1 : REAL(fsync)(file); }
