// A wall clock of its own for one process, changed while it runs: LD_PRELOAD=clock-shim.so QUORLOCK_TEST_CLOCK=<file>.
// Only the wall clock: CLOCK_MONOTONIC and CLOCK_BOOTTIME stay those of the machine. Without the variable, or without
// the file, nothing is changed.
//
// The file is mapped into memory: five little-endian 64-bit words, signed, of which the last two may be missing.
//   0 mode    0 the clock runs; 1 it is frozen
//   1 value   running: microseconds that are added to the real time; frozen: the time in microseconds since 1970
//   2 rate    running: millionths of the real rate, 1000000 is the real one
//   3 since   the real time, in microseconds since 1970, from which on the rate counts
//   4 version raised by one before a change and once more after it; odd: being changed, look again
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *file;

__attribute__((constructor)) static void map_file(void) {
  const char *path = getenv("QUORLOCK_TEST_CLOCK");
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *mapped = mmap(NULL, 40, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) file = mapped;
  close(fd);
}

// In nanoseconds. By system call: looking the real function up would allocate, before the allocator is ready.
static int64_t now(void) {
  struct timespec real;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
  int64_t ns = real.tv_sec * 1000000000LL + real.tv_nsec, mode, value, rate, since, version;
  if (!file) return ns;
  do {
    version = __atomic_load_n(&file[4], __ATOMIC_ACQUIRE);
    mode = file[0], value = file[1], rate = file[2], since = file[3];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
  } while (version % 2 != 0 || version != file[4]);
  if (mode == 1) return value * 1000;
  return ns + value * 1000 + (int64_t)((__int128)(ns - since * 1000) * (rate - 1000000) / 1000000);
}

int clock_gettime(clockid_t id, struct timespec *at) {
  if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return (int)syscall(SYS_clock_gettime, id, at);
  int64_t ns = now();
  at->tv_sec = ns / 1000000000, at->tv_nsec = ns % 1000000000;
  return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  (void)zone;
  int64_t ns = now();
  at->tv_sec = ns / 1000000000, at->tv_usec = ns % 1000000000 / 1000;
  return 0;
}

time_t time(time_t *at) {
  time_t seconds = now() / 1000000000;
  if (at) *at = seconds;
  return seconds;
}
