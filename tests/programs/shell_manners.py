#!/usr/bin/env python3
"""Runs an example as shells do when something is in the way: a standard output that nothing reads or that is full, a
standard error that is full, arguments that are no UTF-8, a capture that can't be written, Ctrl-C in the middle.

    shell_manners.py FOLDER SCRATCH NAME...   FOLDER holds the built examples, SCRATCH is for files

Nothing but Python's standard library. A new example is held to the same without a word here.
"""

import os
import re
import signal
import subprocess
import sys
import time

SECONDS = 90  # a ceiling; an example that hangs fails
FULL = "/dev/full"
OUTPUT_FAILED = 74  # EX_IOERR
LAST_WAIT = 10  # seconds at most that a capture whose pipe is full may cost at the end of a run

# What ends by itself and prints something before: the arguments of a short run.
RUN = {
    "quickstart": ["--count", "2"], "doctor": ["--quiet"], "simulate": ["--seeds", "20", "--jobs", "1"],
    "async_socket": ["--count", "2"], "interrupt_recv": ["--count", "2", "--size", "100"],
    "gateway": ["--for", "1", "--socks", "0", "--http", "0"], "short_connection": ["--count", "1"], "hardware_check": ["--simulate", "air724"],
}
WRONG_OPTION = 2
# What would not end for a long time, of the examples whose help shows the exit code of an interruption.
LONG = {
    "quickstart": ["--count", "100000000"], "async_socket": ["--count", "1000000", "--every", "0.1"],
    "interrupt_recv": ["--count", "1000000", "--size", "100", "--every", "0.1"], "endurance": ["--for", "10000", "--losses", "100000"],
    "short_connection": ["--count", "1000000"], "long_connection": ["--for", "10000"], "mqtt": ["--count", "1000000"],
    "websocket": ["--count", "1000000"], "doctor": ["--simulate", "server-silent"],
}
# How a run may end that nothing reads: 1 where that says that something is wrong in what was read.
UNREAD = {"luat_trace": {0, 1}, "simulate": {1}}
# What has no modem. The doctor's run is a quiet one.
WITHOUT_MODEM = {"doctor", "luat_trace", "ports", "replay", "simulate"}
# A form that only a reader of the sources knows, `Closed(Some(..))` or `Queue { len: 4 }`, or a failure that is said twice.
UNREADABLE = re.compile(r"\b(Some|Ok|Err|[A-Z][a-z]+[A-Z]\w*)\(|\bNone\b|\w \{ \w+: |\b([a-z]{2,}) \2\b|failed: [^:]*failed")
VERSION = re.compile(r"(\w+) \(air724ug\) [0-9]+\.[0-9]+\.[0-9]+\n")
TRACES = re.compile(r"panicked|stack backtrace|RUST_BACKTRACE")

failures = 0


def run(folder, name, arguments, stdout, stderr=subprocess.PIPE):
    command = [os.path.join(folder, name).encode()] + [os.fsencode(argument) for argument in arguments]
    environment = dict(os.environ, RUST_BACKTRACE="1")
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, timeout=SECONDS,
                              env=environment, check=False)
    except subprocess.TimeoutExpired:
        return None, f"it did not end within {SECONDS} s"
    return done.returncode, (done.stderr or b"").decode(errors="replace")


def check(name, what, holds, code, said):
    global failures
    traces = TRACES.search(said)
    if holds and not traces:
        print(f"  ok  {name}: {what}")
        return
    failures += 1
    print(f"  FAILED  {name}: {what}: exit code {code}, on the standard error:\n{said}")


def unread():
    """The end of a pipe that nothing reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "wb")


def manners(folder, name):
    arguments = RUN.get(name, [])
    for what, given, codes in [("--help", ["--help"], {0}), ("--version", ["--version"], {0}), ("a run", arguments, UNREAD.get(name, {0}))]:
        with unread() as out:
            code, said = run(folder, name, given, out)
        # Fixtures and simulated modems are announced on the standard error, and that is all.
        quiet = all(re.search(r"no (FILE|--port) given", line) for line in said.splitlines())
        check(name, f"{what} that nothing reads ends quietly", code in codes and quiet, code, said)
        with open(FULL, "wb") as out:
            code, said = run(folder, name, given, out)
        is_reported = "can't be written" in said
        check(name, f"{what} into a full file is an error", code == OUTPUT_FAILED and is_reported, code, said)
        with open(FULL, "wb") as out, open(FULL, "wb") as messages:
            code, said = run(folder, name, given, out, stderr=messages)
        check(name, f"{what} whose messages are lost, too, ends the same", code == OUTPUT_FAILED, code, said)
    # A file of that name is not there.
    for given in [[b"--no-such-option\xff"], [b"\xff.capture"], ["--no-such-option=1"], ["-Z"]]:
        code, said = run(folder, name, given, subprocess.DEVNULL)
        check(name, f"{given} is a wrong option", code == WRONG_OPTION and said != "", code, said)
    if "--apn" in help_of(folder, name):
        for given in [["--baud", "0"], ["--pin", "12"], ["--apn", ""]]:
            code, said = run(folder, name, given, subprocess.DEVNULL)
            is_reported = "invalid" in said and f"`{name} --help` lists the options" in said
            check(name, f"{given} is a wrong option", code == WRONG_OPTION and is_reported, code, said)
    with open(FULL, "wb") as messages:
        code, said = run(folder, name, ["--no-such-option"], subprocess.DEVNULL, stderr=messages)
    check(name, "a wrong option and no output to write to", code == WRONG_OPTION, code, said)
    for given in ["--help", "-h"]:
        code, said = run(folder, name, [given], subprocess.PIPE)
        check(name, f"{given} says nothing on the standard error", code == 0 and said == "", code, said)


def help_of(folder, name):
    command = [os.path.join(folder, name), "--help"]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=SECONDS,
                          check=False).stdout.decode()


def readable(folder, name):
    """Every line of a run and of its log is in words, and among the first is that the modem is a simulated one."""
    command = [os.path.join(folder, name), *RUN.get(name, [])]
    environment = dict(os.environ, RUST_LOG="air724ug=info,air724ug::sim=off")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                          env=environment, check=False)
    said = done.stdout.decode()
    unreadable = [line for line in said.splitlines() if UNREADABLE.search(line)]
    check(name, "every line is in words", not unreadable, done.returncode, "\n".join(unreadable))
    if name not in WITHOUT_MODEM:
        own = [line for line in said.splitlines() if not line.startswith("[")]
        check(name, "a simulated modem is called one", "simulated" in "".join(own[:4]), done.returncode, said)


def version(folder, name):
    done = subprocess.run([os.path.join(folder, name), "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS,
                          check=False, text=True)
    shown = VERSION.fullmatch(done.stdout)
    check(name, "--version names it", shown and shown[1] == name and done.returncode == 0, done.returncode, done.stdout + done.stderr)


def fill(pipe):
    """Writes to a pipe until it takes nothing."""
    try:
        while True:
            os.write(pipe, bytes(4096))
    except BlockingIOError:
        pass


def captures(folder, scratch, name):
    """An example that records its session."""
    arguments = RUN.get(name, [])
    for option in ["--port", "--capture"]:
        code, said = run(folder, name, [option, b"c\xff.cap"], subprocess.DEVNULL)
        check(name, f"{option} with no UTF-8 is a wrong option", code == WRONG_OPTION and "UTF-8" in said, code, said)
    began = time.monotonic()
    code, said = run(folder, name, [*arguments, "--capture", FULL], subprocess.DEVNULL)
    own = time.monotonic() - began
    is_reported = "the capture is not complete" in said
    check(name, "a capture on a full disk is reported", code == OUTPUT_FAILED and is_reported, code, said)
    pipe = os.path.join(scratch, f"{name}.fifo")
    os.mkfifo(pipe)
    code, said = run(folder, name, [*arguments, "--capture", pipe], subprocess.DEVNULL)
    is_reported = "nothing reads from this pipe" in said
    check(name, "a capture on a pipe without a reader is reported at once", code not in (0, None) and is_reported, code, said)
    # Read and written by this program, full, and never drained.
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    fill(held)
    began = time.monotonic()
    code, said = run(folder, name, [*arguments, "--capture", pipe], subprocess.DEVNULL)
    took = time.monotonic() - began
    in_time = code == OUTPUT_FAILED and "the capture is not complete" in said and took < 3 * own + LAST_WAIT
    check(name, f"a capture on a full pipe holds nothing up and is reported ({took:.1f} s; on a full disk {own:.1f} s)", in_time, code, said)
    os.close(held)
    missing = os.path.join(scratch, "no", "such", "folder")
    code, said = run(folder, name, [*arguments, f"--capture={missing}"], subprocess.DEVNULL)
    is_reported = "can't record in" in said
    check(name, "a capture that can't be made is reported", code not in (0, None) and is_reported, code, said)


def interrupted(folder, name):
    """In the middle of a run: reported, with every connection closed on the module and nothing left behind."""
    command = [os.path.join(folder, name), *LONG[name]]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            if line.startswith((b"connected", b"open", b"online", b"doctor: connecting")):
                break
        process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=SECONDS)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            said = f"it did not end within {SECONDS} s"
    is_reported = name == "endurance" or "interrupted; every connection is closed" in said
    check(name, "Ctrl-C ends it", process.returncode == 130 and is_reported, process.returncode, said)


def main():
    folder, scratch, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    if not names:
        sys.exit("no example is named")
    for name in names:
        manners(folder, name)
        version(folder, name)
        if name != "sim":  # it serves until it is ended
            readable(folder, name)
        if "--capture" in help_of(folder, name):
            captures(folder, scratch, name)
        if name in LONG:
            interrupted(folder, name)
    if failures:
        sys.exit(f"{failures} failed")


main()
