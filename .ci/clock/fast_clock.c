// A fast clock for a whole process: preloaded, it makes time run FAST_CLOCK times as fast as that of the machine.
//
//   cc -O2 -shared -fPIC -o fast_clock.so .ci/fast_clock.c
//   FAST_CLOCK=240 LD_PRELOAD=./fast_clock.so target/debug/examples/gateway
//
// What a program asks for (seconds of the clocks) is multiplied, what it waits for (sleep, poll, futex, the time-outs of
// sockets) is divided. The clocks are functions of libc and replaced by name. The waits are system calls, which programs
// also make without libc: a filter of seccomp turns each of them into SIGSYS, whose handler makes it with the real span.
// Processes that exchange times need the same FAST_CLOCK_START, in nanoseconds of CLOCK_MONOTONIC; until then no time has
// been added. Not handled: select, epoll, timers, and threads that block SIGSYS. Linux on x86_64 and aarch64.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __x86_64__
#define REGISTER(n) (context->uc_mcontext.gregs[(int[]){REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9}[n]])
#define RESULT (context->uc_mcontext.gregs[REG_RAX])
#else
#define REGISTER(n) (context->uc_mcontext.regs[n])
#define RESULT (context->uc_mcontext.regs[0])
#endif

#define SECOND 1000000000LL
// In the upper half of the sixth argument, which none of these calls looks at: a call of this file.
#define OURS 0xfa57c10cU

typedef int64_t nanoseconds;

static nanoseconds rate = 1, starts[CLOCK_BOOTTIME + 1];

static nanoseconds of_timespec(const struct timespec *time) { return time->tv_sec * SECOND + time->tv_nsec; }

static struct timespec to_timespec(nanoseconds time) {
  return (struct timespec){.tv_sec = time / SECOND, .tv_nsec = time % SECOND};
}

static nanoseconds real(clockid_t clock) {
  struct timespec now;
  syscall(SYS_clock_gettime, clock, &now);
  return of_timespec(&now);
}

static clockid_t fine(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME_COARSE: return CLOCK_REALTIME;
    case CLOCK_MONOTONIC_COARSE: return CLOCK_MONOTONIC;
    default: return clock;
  }
}

static int is_fast(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME;
}

static nanoseconds fast(clockid_t clock) { return starts[clock] + (real(clock) - starts[clock]) * rate; }

// ------------------------------------------------------------------------------------------------------- the clocks

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (!is_fast(fine(clock))) return syscall(SYS_clock_gettime, clock, time);
  *time = to_timespec(fast(fine(clock)));
  return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  nanoseconds now = fast(CLOCK_REALTIME);
  *time = (struct timeval){.tv_sec = now / SECOND, .tv_usec = now % SECOND / 1000};
  return 0;
}

time_t time(time_t *where) {
  time_t now = fast(CLOCK_REALTIME) / SECOND;
  if (where) *where = now;
  return now;
}

// -------------------------------------------------------------------------------------------------------- the waits

// A span of the program is longer than none on the machine, too.
static struct timespec shorter(nanoseconds span) { return to_timespec(span > 0 ? span / rate + 1 : span); }

static struct timespec earlier(clockid_t clock, const struct timespec *until) {
  return to_timespec(starts[clock] + (of_timespec(until) - starts[clock]) / rate + 1);
}

static struct timeval scaled(struct timeval span, nanoseconds by, nanoseconds divided_by) {
  nanoseconds all = (span.tv_sec * 1000000LL + span.tv_usec) * by;
  nanoseconds parts = (all + divided_by - 1) / divided_by;
  return (struct timeval){.tv_sec = parts / 1000000, .tv_usec = parts % 1000000};
}

static int is_time_out(long level, long option) {
  return level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO);
}

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, (long)((uint64_t)OURS << 32 | (uint32_t)f));
  return result == -1 ? -errno : result;
}

static void handle(int signal, siginfo_t *info, void *state) {
  (void)signal;
  ucontext_t *context = state;
  long number = info->si_syscall, before = errno;
  long a = REGISTER(0), b = REGISTER(1), c = REGISTER(2), d = REGISTER(3), e = REGISTER(4), f = REGISTER(5);
  struct timespec span;
  struct timeval brief;
  switch (number) {
    case SYS_futex: { // those of the filter: waits with a time
      clockid_t clock = b & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
      const struct timespec *time = (const struct timespec *)d;
      span = (b & FUTEX_CMD_MASK) == FUTEX_WAIT ? shorter(of_timespec(time)) : earlier(clock, time);
      d = (long)&span;
      break;
    }
#ifdef SYS_poll
    case SYS_poll:
      span = shorter((int)c * (SECOND / 1000));
      number = SYS_ppoll, c = (int)c < 0 ? 0 : (long)&span, d = 0;
      break;
#endif
    case SYS_ppoll:
      if (c) span = shorter(of_timespec((struct timespec *)c)), c = (long)&span;
      break;
#ifdef SYS_nanosleep
    case SYS_nanosleep: // what is left after a signal is returned in real time
      span = shorter(of_timespec((struct timespec *)a)), a = (long)&span;
      break;
#endif
    case SYS_clock_nanosleep: {
      const struct timespec *time = (const struct timespec *)c;
      span = b & TIMER_ABSTIME && is_fast(a) ? earlier(a, time) : shorter(of_timespec(time));
      c = (long)&span;
      break;
    }
    case SYS_setsockopt:
      if (is_time_out(b, c)) brief = scaled(*(struct timeval *)d, 1, rate), d = (long)&brief;
      break;
  }
  RESULT = call(number, a, b, c, d, e, f);
  if (number == SYS_getsockopt && is_time_out(b, c) && RESULT == 0) *(struct timeval *)d = scaled(*(struct timeval *)d, rate, 1);
  errno = before;
}

#define LOAD(field, half) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + half)
#define EQUAL(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
// These calls go to the handler.
#define TRAP(number) EQUAL(number, 0, 1), RETURN(SECCOMP_RET_TRAP)

static void trap_waits(void) {
  struct sock_filter filter[] = {
      LOAD(args[5], 4), EQUAL(OURS, 0, 1), RETURN(SECCOMP_RET_ALLOW),
      LOAD(nr, 0),
#ifdef SYS_poll
      TRAP(SYS_poll),
#endif
#ifdef SYS_nanosleep
      TRAP(SYS_nanosleep),
#endif
      TRAP(SYS_ppoll), TRAP(SYS_clock_nanosleep), TRAP(SYS_setsockopt), TRAP(SYS_getsockopt),
      // A wait of a futex that has a time.
      EQUAL(SYS_futex, 1, 0), RETURN(SECCOMP_RET_ALLOW),
      LOAD(args[3], 0), EQUAL(0, 0, 2),
      LOAD(args[3], 4), EQUAL(0, 6, 0),
      LOAD(args[1], 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FUTEX_CMD_MASK),
      TRAP(FUTEX_WAIT), TRAP(FUTEX_WAIT_BITSET),
      RETURN(SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &action, NULL);
  prctl(PR_SET_TIMERSLACK, 1);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) perror("fast_clock: seccomp"), _exit(2);
}

__attribute__((constructor)) static void start(void) {
  const char *wanted = getenv("FAST_CLOCK"), *from = getenv("FAST_CLOCK_START");
  rate = wanted ? atoll(wanted) : 0;
  if (rate < 1) fprintf(stderr, "fast_clock: FAST_CLOCK is no number\n"), _exit(2);
  nanoseconds passed = from ? real(CLOCK_MONOTONIC) - atoll(from) : 0;
  for (clockid_t clock = 0; clock <= CLOCK_BOOTTIME; clock++)
    if (is_fast(clock)) starts[clock] = real(clock) - passed;
  trap_waits();
}
