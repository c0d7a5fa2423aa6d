#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A terminal of its own for a program, and somebody at its keyboard.

screen.py COLUMNSxLINES STEP... -- COMMAND...

A step is one of
  key:TEXT         types it (\\t, \\r, \\e are what they stand for)
  see:REGEX        waits until the screen shows it
  miss:REGEX       waits until the screen no longer shows it
  still            waits a while; nothing but the time may change meanwhile
  size:COLSxLINES  another size of the window
  tell:FILE        makes an empty file, for somebody who waits until it got so far
  end              waits until the program has ended, with 0, and left the screen as it was
Exits 1 with the last screen if a step fails, or if a line is ever wider than the terminal.
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 40
STILL = 1.5
HOME, WIPE, ENTER, LEAVE = "\033[H", "\033[J", "\033[?1049h", "\033[?1049l"
SEQUENCE = re.compile(r"\033\[[?0-9;]*[A-Za-z]")
TIME = re.compile(r"\d\d:\d\d:\d\dZ")


class Screen:
    def __init__(self, size, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            time.sleep(0.1)
            os.execvp(command[0], command)
        self.output = ""
        self.resize(size)

    def resize(self, size):
        columns, lines = (int(n) for n in size.split("x"))
        self.columns, self.lines = columns, lines
        self.output = self.output[-len(LEAVE):] if self.output else ""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            self.output += os.read(self.fd, 65536).decode(errors="replace")
        except OSError:
            return False
        return True

    def lines_shown(self):
        """Of the last frame that is complete."""
        frames = [f for f in self.output.split(HOME)[1:] if WIPE in f]
        if not frames:
            return []
        lines = SEQUENCE.sub("", frames[-1].split(WIPE)[0]).replace("\r", "").split("\n")
        assert len(lines) <= self.lines, f"{len(lines)} lines"
        assert all(len(line) <= self.columns for line in lines), "a line is too wide"
        return lines

    def wait(self, is_so):
        end = time.monotonic() + PATIENCE
        while not is_so("\n".join(self.lines_shown())):
            if time.monotonic() > end or not self.read(0.1):
                return False
        return True

    def is_still(self):
        self.read(0.3)
        before = [TIME.sub("", line) for line in self.lines_shown()]
        end = time.monotonic() + STILL
        while time.monotonic() < end:
            self.read(0.1)
        return [TIME.sub("", line) for line in self.lines_shown()] == before

    def has_ended(self):
        while self.read(PATIENCE):
            pass
        is_fine = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == 0
        return is_fine and LEAVE in self.output

    def step(self, step):
        what, _, value = step.partition(":")
        if what == "key":
            value = value.replace("\\t", "\t").replace("\\r", "\r").replace("\\e", "\033")
            return os.write(self.fd, value.encode()) > 0
        if what == "see":
            return self.wait(lambda shown: re.search(value, shown, re.M))
        if what == "miss":
            return self.wait(lambda shown: shown and not re.search(value, shown, re.M))
        if what == "size":
            self.resize(value)
            return True
        if what == "tell":
            open(value, "w", encoding="ascii").close()
            return True
        return self.is_still() if what == "still" else self.has_ended()


def main(arguments):
    dashes = arguments.index("--")
    screen = Screen(arguments[0], arguments[dashes + 1:])
    for step in arguments[1:dashes]:
        if not screen.step(step):
            print(f"{step}: not so", *screen.lines_shown(), sep="\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
